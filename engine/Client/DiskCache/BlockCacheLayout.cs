using System.Buffers.Binary;
using System.Security.Cryptography;
using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Client.DiskCache;

/// <summary>
/// Names below a cache directory: <c>blocks-BOOT/hh/HASH</c> for whole blocks, <c>files-BOOT/hh/KEY</c> for whole files, <c>tmp/</c> for what is
/// being written. What lies under the current boot's names was verified before it got its name (docs/decisions/0024-disk-cache.md).
/// </summary>
internal sealed class BlockCacheLayout
{
    private const string BlocksPrefix = "blocks-", FilesPrefix = "files-";
    private readonly string _root;

    public BlockCacheLayout(string root, string bootId)
    {
        _root = root;
        Blocks = Path.Combine(root, BlocksPrefix + bootId);
        Files = Path.Combine(root, FilesPrefix + bootId);
        Temporary = Path.Combine(root, "tmp");
    }

    public string Blocks { get; }

    public string Files { get; }

    public string Temporary { get; }

    public string Block(BlockHash hash) => Below(Blocks, hash.ToString());

    public string File(string key) => Below(Files, key);

    /// <summary>Blocks that were written before the machine was last started.</summary>
    public IEnumerable<string> OlderBlocks() => Directories(BlocksPrefix).Where(directory => directory != Blocks);

    public static string OlderBlock(string directory, BlockHash hash) => Below(directory, hash.ToString());

    /// <summary>Whole files of earlier starts: nothing here can verify them, so they are only removed.</summary>
    public IEnumerable<string> OlderFiles() => Directories(FilesPrefix).Where(directory => directory != Files);

    /// <summary>Every cached file, current or not.</summary>
    public IEnumerable<FileInfo> All() =>
        Directories(BlocksPrefix).Concat(Directories(FilesPrefix)).Append(Temporary).Where(Directory.Exists)
            .SelectMany(directory => new DirectoryInfo(directory).EnumerateFiles("*", new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true }));

    /// <summary>The name of a file made of these pieces.</summary>
    public static string KeyOf(IReadOnlyList<BlockRange> pieces)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> numbers = stackalloc byte[2 * sizeof(int)];
        Span<byte> digest = stackalloc byte[BlockHash.TextLength / 2];
        foreach (var piece in pieces)
        {
            piece.Block.Hash.CopyTo(digest);
            hash.AppendData(digest);
            BinaryPrimitives.WriteInt32LittleEndian(numbers, piece.Offset);
            BinaryPrimitives.WriteInt32LittleEndian(numbers[sizeof(int)..], piece.Length);
            hash.AppendData(numbers);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static string Below(string directory, string name) => Path.Combine(directory, name[..2], name);

    private IEnumerable<string> Directories(string prefix) => Directory.Exists(_root) ? Directory.EnumerateDirectories(_root, prefix + "*") : [];
}
