using System.Security.Cryptography;
using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Volumes;

public sealed partial class DirectoryVolume : IScrubVolume
{
    // A state is a few hundred bytes; whatever is longer is not ours.
    private const int MaxScrubStateBytes = 1 << 16;

    /// <inheritdoc/>
    public ValueTask<long?> ReadFromMediumAsync(BlockHash hash, Memory<byte> destination, CancellationToken cancellationToken) =>
        RunAsync(() => Read(hash, destination.Span, fromMedium: true), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<bool> QuarantineAsync(BlockHash hash, CancellationToken cancellationToken) => RunAsync(() =>
    {
        // Whoever writes the block meanwhile waits for this lock, and then gives the new copy the name.
        var generation = _root.Check();
        using var copy = LockCopy(hash);
        if (copy is null)
        {
            return false;
        }

        // By path and under the lock: it may be a good copy that was written since.
        using var current = TryOpen(hash, DiskAccess.Read);
        if (current is null || HashOf(current) == hash)
        {
            return false;
        }

        _disk.CreateDirectory(_layout.Quarantine);
        _disk.Rename(_layout.Block(hash), _layout.Quarantined(hash, _trash.Time.GetUtcNow().ToUnixTimeSeconds()));
        _disk.SyncDirectory(_layout.Quarantine);
        _disk.SyncDirectory(_layout.Root);
        MakeNameDurable(hash, generation);
        return true;
    }, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<BlockHash>> ListQuarantineAsync(CancellationToken cancellationToken) => RunAsync<IReadOnlyList<BlockHash>>(() =>
    {
        var hashes = new SortedSet<BlockHash>();
        foreach (var name in ListIfThere(_layout.Quarantine))
        {
            if (name.Length > BlockHash.TextLength && name[BlockHash.TextLength] == '.' && BlockHash.TryParse(name.AsSpan(0, BlockHash.TextLength), out var hash))
            {
                hashes.Add(hash);
            }
        }

        return [.. hashes];
    }, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<byte[]?> LoadScrubStateAsync(CancellationToken cancellationToken) => RunAsync(() =>
    {
        using var file = _disk.TryOpen(_layout.ScrubState, DiskAccess.Read);
        if (file is null || file.Length > MaxScrubStateBytes)
        {
            return null;
        }

        var state = new byte[file.Length];
        return state[..file.Read(state, 0)];
    }, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask SaveScrubStateAsync(byte[] state, CancellationToken cancellationToken) => await RunAsync(
        () =>
        {
            _root.Check();
            var temporary = _layout.ScrubState + ".tmp";
            TryDelete(temporary);
            using (var file = _disk.Open(temporary, DiskAccess.CreateNew))
            {
                file.Write(state, 0);
                file.Sync();
            }

            _disk.Rename(temporary, _layout.ScrubState);
        },
        cancellationToken);

    private static BlockHash HashOf(IDiskFile file)
    {
        if (file.Length > Locator.MaxBlockSizeBytes)
        {
            return default;
        }

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        var piece = new byte[Math.Min(PieceBytes, Math.Max(1, (int)file.Length))];
        int count;
        for (long at = 0; (count = file.Read(piece, at)) > 0; at += count)
        {
            hash.AppendData(piece, 0, count);
        }

        return BlockHash.FromDigest(hash.GetHashAndReset());
    }
}
