using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using KeepFs.Catalog.Records;
using KeepFs.Engine.Blocks;

namespace KeepFs.Catalog.Checkpoints;

/// <summary>
/// What a checkpoint is made of, and its block (docs/decisions/0040-checkpoints.md): the magic line, one line of JSON, one line with a seal, and newlines
/// up to a size that other blocks rarely have. Immutable.
/// </summary>
internal sealed record CheckpointHead
{
    /// <summary>Larger blocks are no heads. Enough for tens of thousands of data blocks.</summary>
    public const int MaxBytes = 4 << 20;

    private const string Magic = "KeepFs-Checkpoint 1\n";
    private const string SealName = "seal ";

    // Of blocks of any size one in 4096 looks like a head and has to be read to know.
    private const int SizeStep = 4096;
    private const int SizeMark = 1789;

    public required string ClusterId { get; init; }

    /// <summary>
    /// Random, and the same in all checkpoints of one catalogue, also after it was rebuilt from one of them. Only who may read checkpoints knows it, so a
    /// block that somebody else makes cannot pass for the newest one.
    /// </summary>
    public required string Lineage { get; init; }

    /// <summary>Counts the checkpoints of a lineage.</summary>
    public required long Sequence { get; init; }

    /// <summary>As of when (<see cref="Timestamp"/>); in a lineage always later than those before.</summary>
    public required string At { get; init; }

    /// <summary>Locator of the head before.</summary>
    public string? Previous { get; init; }

    /// <summary>The first is full, the others say what changed, oldest first.</summary>
    public required IReadOnlyList<CheckpointPart> Parts { get; init; }

    /// <summary>Records by table, for people.</summary>
    public required IReadOnlyDictionary<string, long> Counts { get; init; }

    [JsonIgnore]
    public DateTimeOffset Time => Timestamp.Parse(At);

    public static bool IsSize(long sizeBytes) => sizeBytes is > 0 and <= MaxBytes && sizeBytes % SizeStep == SizeMark;

    /// <summary>The block.</summary>
    public byte[] Format(string systemRootToken)
    {
        var signed = $"{Magic}{JsonSerializer.Serialize(this, CheckpointJson.Default.CheckpointHead)}\n";
        var text = $"{signed}{SealName}{SealOf(Encoding.UTF8.GetBytes(signed), systemRootToken)}\n";
        var length = Encoding.UTF8.GetByteCount(text);
        var block = new byte[length + ((SizeMark - (length % SizeStep) + SizeStep) % SizeStep)];
        block.AsSpan(Encoding.UTF8.GetBytes(text, block)).Fill((byte)'\n');
        return block.Length <= MaxBytes ? block : throw new InvalidOperationException($"A checkpoint of {Parts.Sum(part => part.Blocks.Count)} blocks does not fit into a head.");
    }

    /// <summary>The head that a block holds; null when it holds none.</summary>
    public static CheckpointHead? TryParse(ReadOnlySpan<byte> block)
    {
        var json = block[Math.Min(block.Length, Magic.Length)..];
        return block.StartsWith(Encoding.UTF8.GetBytes(Magic)) && json.IndexOf((byte)'\n') is > 0 and var end
            && CheckpointJson.TryParse(json[..end], CheckpointJson.Default.CheckpointHead) is { } head && head.IsPossible()
            ? head
            : null;
    }

    /// <summary>The block was made by who knows the token.</summary>
    public static bool HasSeal(ReadOnlySpan<byte> block, string systemRootToken)
    {
        var end = Magic.Length + block[Magic.Length..].IndexOf((byte)'\n') + 1;
        var expected = Encoding.UTF8.GetBytes($"{SealName}{SealOf(block[..end], systemRootToken)}\n");
        return block.Length >= end + expected.Length && CryptographicOperations.FixedTimeEquals(block.Slice(end, expected.Length), expected);
    }

    private bool IsPossible() =>
        // They are shown to people, and anybody may have made the block.
        IsWord(ClusterId) && IsWord(Lineage) && Counts is not null && Counts.Keys.All(key => IsWord(key.Replace(" ", "", StringComparison.Ordinal))) && Parts is { Count: > 0 } && Parts[0] is { IsFull: true } && Timestamp.FromClient(At ?? "") == At
        && Parts.All(part => part is { Sha256: not null, Blocks: not null } && part.Blocks.All(IsLocator)) && Parts.Skip(1).All(part => !part.IsFull);

    private static bool IsWord(string? text) => text is { Length: > 0 and <= 64 } && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c));

    private static bool IsLocator(string text) => Locator.TryParse(text, out var locator) && locator.SizeBytes is > 0 and <= Locator.MaxBlockSizeBytes;

    // A key of its own: what is sealed here is no signature of anything else.
    private static string SealOf(ReadOnlySpan<byte> signed, string systemRootToken) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(HKDF.DeriveKey(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(systemRootToken), 32, info: "keepfs checkpoint"u8.ToArray()), signed));
}
