using System.Collections.Concurrent;
using System.Globalization;
using KeepFs.Cli.Output;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Blocks.Hashing;
using KeepFs.Engine.Volumes.Gateway;

namespace KeepFs.Cli.Gateway;

/// <summary>Fills an index and tells about it: progress on a terminal, failures by name, a summary at the end.</summary>
internal sealed class IndexRun(GatewayIndex index, IObjectSource source, GatewayScanOptions options, bool isQuiet) : IScanProgress, IDisposable
{
    /// <summary>Eight full blocks: large objects are read two segments ahead, and small ones need little.</summary>
    private const long BufferBytes = 8L * Locator.MaxBlockSizeBytes;

    /// <summary>Failures told one by one; a lost disk would have a million.</summary>
    private const int MaxNamedFailures = 20;
    private readonly ProgressLine _line = new("index", isQuiet);
    private readonly ConcurrentDictionary<ObjectKey, CataloguedObject> _entries = new();
    private int _failures;

    /// <summary>What the index knows of the listed objects.</summary>
    public IReadOnlyDictionary<ObjectKey, CataloguedObject> Entries => _entries;

    public async Task<ScanReport> RunAsync(IAsyncEnumerable<ObjectInfo> listing, Func<bool> isComplete, CancellationToken cancellationToken)
    {
        await using var hashing = new HashService(new HashServiceOptions());
        var buffers = new BlockBufferPool(new BlockBufferPoolOptions { BudgetBytes = BufferBytes });
        var scan = new GatewayScan(index, source, buffers, hashing, options, this, TimeProvider.System);
        return await scan.RunAsync(listing, isComplete, cancellationToken);
    }

    public void Advance(long bytes) => _line.Add(bytes);

    public void Indexed(CataloguedObject entry) => _entries[entry.Info.Key] = entry;

    public void Failed(ObjectInfo item, string reason)
    {
        var count = Interlocked.Increment(ref _failures);
        if (count <= MaxNamedFailures)
        {
            Console.Error.WriteLine($"keepfs: not indexed: {item.Key}: {reason}");
        }
    }

    /// <summary>One line about the whole.</summary>
    public string Summary(ScanReport report) => string.Create(
        CultureInfo.InvariantCulture,
        $"{Readable.Count(report.Listed)} objects: {Readable.Count(report.Read)} read ({Readable.Bytes(report.ReadBytes)}, {Readable.Rate(report.ReadBytes, _line.Elapsed)}), {Readable.Count(report.Kept)} known, {Readable.Count(report.Removed)} removed{(report.Errors > 0 ? $", {Readable.Count(report.Errors)} not indexed" : "")}");

    public void Dispose() => _line.Dispose();
}
