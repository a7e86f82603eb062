using System.Globalization;
using System.Security.Cryptography;
using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Volumes;

/// <summary>Names on a directory volume (keepstore-http.md 11.1).</summary>
internal sealed class DirectoryLayout(string root)
{
    public const string TemporaryPrefix = "tmp";
    public const int DirectoryNameLength = 3;
    private const string NewFullMarkerPrefix = "full.tmp";
    private const string TrashInfix = ".trash.";

    public string Root => root;

    public string FullMarker => Path.Join(root, "full");

    /// <summary>Names that no keepstore of Arvados looks at: not hexadecimal.</summary>
    public string Quarantine => Path.Join(root, "quarantine");

    public string ScrubState => Path.Join(root, ".keepfs-scrub");

    public string Quarantined(BlockHash hash, long unixSeconds) => string.Create(CultureInfo.InvariantCulture, $"{Path.Join(Quarantine, hash.ToString())}.{unixSeconds}");

    public string NewFullMarker() => Path.Join(root, NewFullMarkerPrefix + RandomName());

    public static bool IsNewFullMarker(string name) => name.StartsWith(NewFullMarkerPrefix, StringComparison.Ordinal);

    public string DirectoryOf(BlockHash hash) => Path.Join(root, hash.ToString().AsSpan(0, DirectoryNameLength));

    public string Block(BlockHash hash)
    {
        var name = hash.ToString();
        return Path.Join(root, name.AsSpan(0, DirectoryNameLength), name);
    }

    public string NewTemporary(BlockHash hash) => Path.Join(DirectoryOf(hash), $"{TemporaryPrefix}{hash}{RandomName()}");

    public string Trash(BlockHash hash, long deadlineSeconds) =>
        string.Create(CultureInfo.InvariantCulture, $"{Block(hash)}{TrashInfix}{deadlineSeconds}");

    public static bool IsTrashOf(BlockHash hash, string name) =>
        name.StartsWith(hash.ToString(), StringComparison.Ordinal) && TryParseTrash(name, out _);

    /// <summary>A <c>hash.trash.deadline</c> name.</summary>
    public static bool TryParseTrash(string name, out long deadlineSeconds)
    {
        deadlineSeconds = 0;
        return name.Length > BlockHash.TextLength
            && BlockHash.TryParse(name.AsSpan(0, BlockHash.TextLength), out _)
            && name.AsSpan(BlockHash.TextLength).StartsWith(TrashInfix, StringComparison.Ordinal)
            && long.TryParse(name.AsSpan(BlockHash.TextLength + TrashInfix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out deadlineSeconds);
    }

    public static bool IsDirectoryName(string name) => name.Length == DirectoryNameLength && name.All(char.IsAsciiHexDigitLower);

    private static string RandomName() => RandomNumberGenerator.GetHexString(16, lowercase: true);
}
