namespace KeepFs.Engine.Volumes.Gateway;

/// <summary>How much an index holds.</summary>
/// <param name="Hashes">Mappings with a valid line.</param>
/// <param name="Candidates">Their lines.</param>
/// <param name="Objects">Objects that scans know.</param>
public sealed record IndexTotals(long Hashes, long Candidates, long Objects)
{
    /// <summary>Nothing.</summary>
    public static IndexTotals None { get; } = new(0, 0, 0);

    /// <summary>Adds up volumes or directories.</summary>
    public static IndexTotals operator +(IndexTotals a, IndexTotals b) => new(a.Hashes + b.Hashes, a.Candidates + b.Candidates, a.Objects + b.Objects);
}

/// <summary>
/// Counts an index. Every change renames a file into a directory, so a directory with the mtime of the last count has that count still. Blocks;
/// counts one at a time.
/// </summary>
internal sealed class GatewayCensus(GatewayIndex index, TimeProvider time)
{
    /// <summary>A change right after a count may leave the mtime as it is: a young directory is counted again.</summary>
    private const long SettledNanoseconds = 2_000_000_000;
    private static readonly TimeSpan Good = TimeSpan.FromMinutes(1);
    private readonly Lock _one = new();
    private readonly Dictionary<string, (long Mtime, IndexTotals Totals)> _known = [];
    private volatile IndexTotals _last = IndexTotals.None;
    private long _countedAt;

    /// <summary>The last count; nothing before the first.</summary>
    public IndexTotals Last => _last;

    public bool IsOld => Interlocked.Read(ref _countedAt) is var at && (at == 0 || time.GetElapsedTime(at) > Good);

    public IndexTotals Count()
    {
        lock (_one)
        {
            var totals = new IndexTotals(0, 0, index.Objects.KeyHashes().LongCount());
            foreach (var directory in index.Directories())
            {
                totals += CountDirectory(directory);
            }

            Interlocked.Exchange(ref _countedAt, time.GetTimestamp());
            return _last = totals;
        }
    }

    private IndexTotals CountDirectory(string directory)
    {
        var mtime = index.Files.Disk.Stat(index.Files.MappingDirectory(directory))?.MtimeNanoseconds ?? 0;
        if (_known.TryGetValue(directory, out var known) && known.Mtime == mtime)
        {
            return known.Totals;
        }

        var (hashes, candidates) = (0L, 0L);
        foreach (var (_, count) in index.ListDirectory(directory, ""))
        {
            hashes++;
            candidates += count;
        }

        var totals = new IndexTotals(hashes, candidates, 0);
        _known.Remove(directory);
        if (((time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick) - mtime > SettledNanoseconds)
        {
            _known.Add(directory, (mtime, totals));
        }

        return totals;
    }
}
