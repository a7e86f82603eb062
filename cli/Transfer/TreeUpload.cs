using KeepFs.Cli.Settings;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.FileSystems;
using KeepFs.Engine.Manifests;

namespace KeepFs.Cli.Transfer;

/// <summary>
/// Uploads local files into a manifest: small ones packed into shared blocks in walking order, large ones as blocks of their own, while the next
/// file is read. Not for concurrent use.
/// </summary>
internal sealed class TreeUpload(ClientSession session, BlockWriteOptions options, Action<long> progress, Action<SkippedEntry> skipped)
{
    private const int MaxWrites = 2;
    private readonly ManifestTree _tree = new();
    private readonly List<(string Path, PackedPiece Piece)> _packed = [];

    public int FileCount { get; private set; }

    public long TotalBytes { get; private set; }

    /// <summary>Stores everything and returns the manifest, with the signatures that let it be saved.</summary>
    public async Task<byte[]> RunAsync(IEnumerable<LocalEntry> entries, CancellationToken cancellationToken)
    {
        await using var packer = new BlockPacker(session.Store, session.PackPool, options, MaxWrites);
        foreach (var entry in entries)
        {
            if (entry.IsDirectory)
            {
                if (_tree.Find(entry.Path) is null)
                {
                    _tree.Put(entry.Path, new ManifestDirectory());
                }
            }
            else if (await AddFileAsync(packer, entry, cancellationToken))
            {
                FileCount++;
            }
        }

        await packer.FlushAsync(cancellationToken);
        foreach (var (path, piece) in _packed)
        {
            _tree.Put(path, new ManifestFile([piece.Segment!.Value]));
        }

        return _tree.ToManifest();
    }

    private async Task<bool> AddFileAsync(BlockPacker packer, LocalEntry entry, CancellationToken cancellationToken)
    {
        FileStream file;
        try
        {
            file = new FileStream(entry.LocalPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0, FileOptions.SequentialScan);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            skipped(new SkippedEntry(entry.LocalPath, $"it cannot be read: {e.Message}"));
            return false;
        }

        await using (file)
        {
            if (_tree.Find(entry.Path) is not null)
            {
                throw new CommandException($"\"{entry.Path}\" is named twice; put the paths one after the other into separate collections.");
            }

            var length = file.Length;
            if (length is > 0 and <= BlockPacker.MaxPieceBytes)
            {
                await PackAsync(packer, file, (int)length, entry, cancellationToken);
            }
            else
            {
                // Files such as those in /proc say 0 and still have content.
                var segments = await BlockUpload.StoreAsync(file, length > 0 ? length : 0, session.Store, session.WritePool, options, grows: false, cancellationToken);
                _tree.Put(entry.Path, new ManifestFile(segments));
                Count(segments.Sum(segment => (long)segment.Length));
            }
        }

        return true;
    }

    private async Task PackAsync(BlockPacker packer, FileStream file, int length, LocalEntry entry, CancellationToken cancellationToken)
    {
        var piece = await packer.AddAsync(
            length,
            async (destination, token) =>
            {
                var read = await file.ReadAtLeastAsync(destination, length, throwOnEndOfStream: false, token);
                if (read < length)
                {
                    throw new CommandException($"\"{entry.LocalPath}\" became shorter while it was being read; try again when nobody changes it.");
                }
            },
            cancellationToken);
        _packed.Add((entry.Path, piece));

        // Keeps the place, so that a second file of that name is noticed.
        _tree.Put(entry.Path, new ManifestFile([]));
        Count(length);
    }

    private void Count(long bytes)
    {
        TotalBytes += bytes;
        progress(bytes);
    }
}
