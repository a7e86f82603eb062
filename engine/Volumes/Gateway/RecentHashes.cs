using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Volumes.Gateway;

/// <summary>Remembers for a minute what was done for which hash, so that it is not done again and again. Safe for concurrent use.</summary>
internal sealed class RecentHashes(TimeProvider time)
{
    /// <summary>Forgetting one early costs a rewrite or a log line; a million would cost memory.</summary>
    private const int MaxCount = 10_000;
    private static readonly TimeSpan Remembered = TimeSpan.FromMinutes(1);
    private readonly Lock _lock = new();
    private readonly Dictionary<BlockHash, long> _seen = [];

    /// <summary>False when the hash was added less than a minute ago.</summary>
    public bool Add(BlockHash hash)
    {
        lock (_lock)
        {
            if (_seen.TryGetValue(hash, out var at) && time.GetElapsedTime(at) < Remembered)
            {
                return false;
            }

            if (_seen.Count >= MaxCount)
            {
                _seen.Clear();
            }

            _seen[hash] = time.GetTimestamp();
            return true;
        }
    }
}
