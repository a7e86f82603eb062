using KeepFs.Engine.Blocks;
using KeepFs.Engine.Volumes;

namespace KeepFs.Engine.Mounts;

/// <summary>
/// Which files held their block when this process last hashed them. While device, inode, size, mtime and ctime are the same, nobody has written
/// to the file through the file system since (ctime cannot be set), so it need not be hashed again. What rots on the disk below an unchanged file
/// is found by the scrubber; its interval is the bound. Forgets the oldest. Safe for concurrent use.
/// </summary>
internal sealed class VerifiedFiles(int maxFiles, TimeProvider time)
{
    /// <summary>
    /// Kernels stamp files with the time of their last clock tick: a change right after the hash could bear the same ctime. A file that
    /// has rested for so long, many ticks, cannot.
    /// </summary>
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<(string Mount, BlockHash Hash), FileIdentity> _files = [];
    private readonly Queue<(string Mount, BlockHash Hash)> _byAge = new();

    /// <summary>Whether the file is the one that was hashed, unchanged.</summary>
    public bool Knows(string mountUuid, BlockHash hash, FileIdentity identity)
    {
        lock (_lock)
        {
            return _files.TryGetValue((mountUuid, hash), out var known) && known == identity;
        }
    }

    /// <summary>The file with this identity, as it was before it was read, held the block.</summary>
    public void Add(string mountUuid, BlockHash hash, FileIdentity identity)
    {
        if (time.GetUtcNow() - DateTimeOffset.UnixEpoch < TimeSpan.FromTicks(identity.CtimeNanoseconds / 100) + Rest)
        {
            return;
        }

        lock (_lock)
        {
            if (!_files.ContainsKey((mountUuid, hash)))
            {
                while (_files.Count >= maxFiles && _byAge.TryDequeue(out var oldest))
                {
                    _files.Remove(oldest);
                }

                _byAge.Enqueue((mountUuid, hash));
            }

            _files[(mountUuid, hash)] = identity;
        }
    }
}
