using KeepFs.Engine.Blocks;

namespace KeepFs.Volumes.S3;

/// <summary>Keys of a bucket (keepstore-http.md 11.2): <c>hash</c>, or with three digits <c>acb/hash</c>; markers and trash have it below a folder.</summary>
internal sealed class S3Layout(int prefixLength)
{
    public const string RecentFolder = "recent/";
    public const string TrashFolder = "trash/";

    /// <summary>Blocks come before it in a listing, recent/ and trash/ after it.</summary>
    public const string AfterBlocks = "g";

    public string Block(BlockHash hash)
    {
        var text = hash.ToString();
        return prefixLength == 0 ? text : $"{text.AsSpan(0, prefixLength)}/{text}";
    }

    public string Recent(BlockHash hash) => RecentFolder + Block(hash);

    public string Trash(BlockHash hash) => TrashFolder + Block(hash);

    /// <summary>What the keys of all blocks start with whose hash starts so.</summary>
    public string BlocksFrom(string hashPrefix) =>
        prefixLength == 0 || hashPrefix.Length <= prefixLength ? hashPrefix : $"{hashPrefix.AsSpan(0, prefixLength)}/{hashPrefix}";

    /// <summary>The block of a key without its folder; false for keys that are not ours, or that this layout would not find.</summary>
    public bool TryParse(ReadOnlySpan<char> key, out BlockHash hash)
    {
        hash = default;
        return key.Length >= BlockHash.TextLength
            && BlockHash.TryParse(key[^BlockHash.TextLength..], out hash)
            && key.SequenceEqual(Block(hash));
    }
}
