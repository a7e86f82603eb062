using System.Collections.Concurrent;
using KeepFs.Engine.Volumes;

namespace KeepFs.Volumes.Tests;

/// <summary>Remembers what a volume told about its traffic.</summary>
internal sealed class RecordedTraffic : IVolumeTraffic
{
    private long _received;
    private long _sent;

    public ConcurrentQueue<string> Operations { get; } = new();

    public ConcurrentQueue<string> Failures { get; } = new();

    public (long Received, long Sent) Bytes => (Interlocked.Read(ref _received), Interlocked.Read(ref _sent));

    public void Began(string operation) => Operations.Enqueue(operation);

    public void Failed(string errorType) => Failures.Enqueue(errorType);

    public void Received(long bytes) => Interlocked.Add(ref _received, bytes);

    public void Sent(long bytes) => Interlocked.Add(ref _sent, bytes);
}
