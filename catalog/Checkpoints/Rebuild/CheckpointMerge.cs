using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using KeepFs.Catalog.Exchange;
using KeepFs.Catalog.Records;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Manifests;

namespace KeepFs.Catalog.Checkpoints.Rebuild;

/// <summary>
/// Makes one export of the parts of a checkpoint: of each collection what the newest part says that has it, of everything else what the newest part says.
/// Memory holds a block, a line, and the UUIDs of collections that changed since the full part. Use it once.
/// </summary>
/// <param name="head">The checkpoint.</param>
/// <param name="blocks">Where its data lie, and those of the collections.</param>
internal sealed class CheckpointMerge(CheckpointHead head, VolumeBlocks blocks)
{
    private static readonly string Collection = RecordTypes.Collections.Kind;

    private readonly HashSet<string> _newer = new(StringComparer.Ordinal);
    private readonly Dictionary<BlockHash, MissingBlock> _missing = [];
    private readonly HashSet<string> _incomplete = new(StringComparer.Ordinal);
    private long _records;

    public long Records => _records;

    /// <summary>Blocks that are not there.</summary>
    public IReadOnlyCollection<MissingBlock> Missing => _missing.Values;

    /// <summary>Collections and past versions that lack some.</summary>
    public long IncompleteCollections => _incomplete.Count;

    /// <exception cref="InvalidDataException">The checkpoint is damaged; the message says where. What was written is of no use.</exception>
    public async Task WriteAsync(Stream output, CancellationToken ct)
    {
        try
        {
            await WriteLineAsync(output, $$"""{"kind":"{{ExchangeKinds.Head}}","version":{{ExchangeKinds.Version}},"cluster_id":"{{head.ClusterId}}"}""", ct);
            for (var i = head.Parts.Count - 1; i >= 0; i--)
            {
                await WritePartAsync(output, head.Parts[i], isNewest: i == head.Parts.Count - 1, ct);
            }

            await WriteLineAsync(output, $$"""{"kind":"{{ExchangeKinds.End}}","records":{{_records}}}""", ct);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ApiException)
        {
            // Good hashes around bytes that are in no form of ours: the decoder's and the parser's words for it.
            throw new InvalidDataException(e.Message, e);
        }
    }

    private async Task WritePartAsync(Stream output, CheckpointPart part, bool isNewest, CancellationToken ct)
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using var data = new PartStream(blocks, part.Blocks);
        await using var text = new BrotliStream(data, CompressionMode.Decompress);
        await using var hashed = new HashedStream(text, sha);
        using var lines = new JsonLineReader(hashed);
        var changed = new List<string>();
        var records = 0L;
        while (await lines.ReadAsync(ct) is { } line)
        {
            var read = CheckpointLine.Parse(line.Span);
            if (hashed.Bytes > part.Bytes)
            {
                throw new InvalidDataException("a part is longer than its head says");
            }

            if (read.Kind is ExchangeKinds.Head or ExchangeKinds.End)
            {
                continue;
            }

            records++;
            var family = read.Kind == CheckpointData.Deleted ? read.Uuid : read.Family;
            if (family is not null && !part.IsFull)
            {
                changed.Add(family);
            }

            if (read.Kind == Collection ? !_newer.Contains(read.Family ?? "") : isNewest && read.Kind != CheckpointData.Deleted)
            {
                await output.WriteAsync(line, ct);
                await output.WriteAsync("\n"u8.ToArray(), ct);
                _records++;
                Look(read);
            }
        }

        if (records != part.Records || hashed.Bytes != part.Bytes || Convert.ToHexStringLower(sha.GetHashAndReset()) != part.Sha256)
        {
            throw new InvalidDataException("its data are not what its head says");
        }

        _newer.UnionWith(changed);
    }

    private void Look(CheckpointLine line)
    {
        foreach (var (hash, size) in ManifestBlocks.Sizes(line.Manifest))
        {
            if (blocks.Holds(hash, size))
            {
                continue;
            }

            _incomplete.Add(line.Uuid ?? "");
            _missing.TryAdd(hash, new MissingBlock(size > 0 ? new Locator(hash, size).ToString() : hash.ToString(), line.Uuid ?? ""));
        }
    }

    private static ValueTask WriteLineAsync(Stream output, string line, CancellationToken ct) => output.WriteAsync(Encoding.UTF8.GetBytes(line + "\n"), ct);
}
