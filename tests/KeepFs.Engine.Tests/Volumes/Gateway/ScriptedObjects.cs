using System.Collections.Concurrent;
using KeepFs.Engine.Volumes.Gateway;

namespace KeepFs.Engine.Tests.Volumes.Gateway;

/// <summary>A store in memory that can be told to fail, to stall and to count.</summary>
internal sealed class ScriptedObjects : IObjectSource
{
    private int _opens;
    private int _running;
    private int _mostRunning;

    public ConcurrentDictionary<string, byte[]> Objects { get; } = new();

    /// <summary>Keys that do not answer.</summary>
    public ConcurrentDictionary<string, bool> Down { get; } = new();

    /// <summary>Keys that open and then send nothing, for ever.</summary>
    public ConcurrentDictionary<string, bool> Stalled { get; } = new();

    /// <summary>Reads wait for it.</summary>
    public TaskCompletionSource? Gate { get; set; }

    /// <summary>Called for every object that is opened.</summary>
    public Action<string>? Opened { get; set; }

    public int Opens => Volatile.Read(ref _opens);

    public int MostRunning => Volatile.Read(ref _mostRunning);

    public string DeviceId => "scripted://";

    public ValueTask<IObjectReader?> OpenAsync(ObjectKey key, long offset, long length, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _opens);
        var name = key.ToString();
        if (Down.ContainsKey(name))
        {
            throw new ObjectUnavailableException($"{name} does not answer");
        }

        var reader = Objects.TryGetValue(name, out var data) && offset + length <= data.Length ? new Reader(this, key, data, (int)offset, (int)length) : null;
        Opened?.Invoke(name);
        return new ValueTask<IObjectReader?>(reader);
    }

    public ValueTask<ObjectInfo?> StatAsync(ObjectKey key, CancellationToken cancellationToken) =>
        Down.ContainsKey(key.ToString()) ? throw new ObjectUnavailableException("down") : new(Objects.TryGetValue(key.ToString(), out var data) ? Info(key, data) : null);

    public ValueTask DisposeAsync() => default;

    public async IAsyncEnumerable<ObjectInfo> ListAsync(int failAfter = int.MaxValue)
    {
        foreach (var (name, data) in Objects.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            await Task.Yield();
            if (failAfter-- == 0)
            {
                throw new ObjectUnavailableException("the listing broke off");
            }

            yield return Info(new ObjectKey(name), data);
        }
    }

    private static ObjectInfo Info(ObjectKey key, byte[] data) => new(key, data.Length, "\"" + Convert.ToHexStringLower(System.Security.Cryptography.MD5.HashData(data)) + "\"", 1700000000);

    private sealed class Reader : IObjectReader
    {
        private readonly ScriptedObjects _source;
        private readonly byte[] _data;
        private readonly int _end;
        private int _at;

        public Reader(ScriptedObjects source, ObjectKey key, byte[] data, int offset, int length)
        {
            (_source, _data, _at, _end, Info) = (source, data, offset, offset + length, ScriptedObjects.Info(key, data));
            var running = Interlocked.Increment(ref source._running);
            for (var most = source.MostRunning; running > most && Interlocked.CompareExchange(ref source._mostRunning, running, most) != most;)
            {
                most = source.MostRunning;
            }
        }

        public ObjectInfo Info { get; }

        public async ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken)
        {
            if (_source.Stalled.ContainsKey(Info.Key.ToString()))
            {
                await Task.Delay(Timeout.Infinite, cancellationToken);
            }

            if (_source.Gate is { } gate)
            {
                await gate.Task.WaitAsync(cancellationToken);
            }

            var count = Math.Min(destination.Length, _end - _at);
            _data.AsSpan(_at, count).CopyTo(destination.Span);
            _at += count;
            return count;
        }

        public ValueTask DisposeAsync()
        {
            Interlocked.Decrement(ref _source._running);
            return default;
        }
    }
}
