using System.Collections.Concurrent;
using KeepFs.Engine.Volumes;

namespace KeepFs.KeepstoreHost;

/// <summary>Counts what a volume asks of an object store.</summary>
/// <param name="operations">All names, so that those show too that were never asked for.</param>
internal sealed class ObjectMeter(IEnumerable<string> operations) : IVolumeMeter, IVolumeTraffic
{
    // Few keys: the drivers have closed lists of operations and of types of failure.
    private readonly ConcurrentDictionary<string, long> _operations = new(operations.Select(name => KeyValuePair.Create(name, 0L)));
    private readonly ConcurrentDictionary<string, long> _errors = new();
    private long _readBytes;
    private long _writtenBytes;

    public IEnumerable<(string Name, long Count)> Operations => InOrder(_operations);

    public IEnumerable<(string Name, long Count)> Errors => InOrder(_errors);

    public long ReadBytes => Interlocked.Read(ref _readBytes);

    public long WrittenBytes => Interlocked.Read(ref _writtenBytes);

    public void Began(string operation) => Add(_operations, operation);

    public void Failed(string errorType) => Add(_errors, errorType);

    public void Received(long bytes) => Interlocked.Add(ref _readBytes, bytes);

    public void Sent(long bytes) => Interlocked.Add(ref _writtenBytes, bytes);

    private static void Add(ConcurrentDictionary<string, long> counts, string name) => counts.AddOrUpdate(name, 1, static (_, count) => count + 1);

    private static IEnumerable<(string Name, long Count)> InOrder(ConcurrentDictionary<string, long> counts) =>
        counts.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => (entry.Key, entry.Value));
}
