using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using KeepFs.Hosting.Configuration;

namespace KeepFs.Hosting.Http;

/// <summary>
/// Bounds how often wrong tokens may be tried from one address. What an address has used well lately goes on there while it is held up: one client's
/// mistakes do not end the work of others behind the same address. Nothing from one address holds up another. Safe for concurrent use.
/// </summary>
/// <param name="config">The limits.</param>
/// <param name="time">The clock.</param>
public sealed class LoginLimiter(FailedLoginsConfig config, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<UInt128, LinkedListNode<Entry>> _entries = [];

    // The one that failed last stands at the end.
    private readonly LinkedList<Entry> _line = new();
    private HashSet<(UInt128 Address, UInt128 Token)> _good = [];
    private HashSet<(UInt128 Address, UInt128 Token)> _goodBefore = [];
    private long _held;

    /// <summary>Requests that were held up.</summary>
    public long Held => Interlocked.Read(ref _held);

    /// <summary>Addresses that are remembered for their wrong tokens.</summary>
    public int Addresses
    {
        get
        {
            lock (_lock)
            {
                return _entries.Count;
            }
        }
    }

    private bool IsOn => config.Limit > 0;

    /// <summary>Which of these tokens may be looked at.</summary>
    /// <param name="address">Where they come from; null is a place of its own.</param>
    /// <param name="tokens">As presented.</param>
    /// <param name="retryAfter">How long to wait when none of them may be.</param>
    public IReadOnlyList<string> Admit(IPAddress? address, IReadOnlyList<string> tokens, out TimeSpan retryAfter)
    {
        retryAfter = TimeSpan.Zero;
        if (!IsOn || tokens.Count == 0)
        {
            return tokens;
        }

        var key = Key(address);
        lock (_lock)
        {
            if (!_entries.TryGetValue(key, out var node) || Level(node.Value) is var level && level <= config.Limit - 1)
            {
                return tokens;
            }

            var known = tokens.Where(token => IsGood((key, Digest(token)))).ToArray();
            if (known.Length == 0)
            {
                _held++;
                retryAfter = TimeSpan.FromTicks((long)Math.Ceiling((level - config.Limit + 1) * config.Window.Ticks / config.Limit));
            }

            return known;
        }
    }

    /// <summary>Tells what came of tokens that were looked at.</summary>
    /// <param name="address">Where they came from.</param>
    /// <param name="good">The one that was right; null for none.</param>
    /// <param name="wrong">How many were wrong.</param>
    public void Report(IPAddress? address, string? good, int wrong)
    {
        if (!IsOn)
        {
            return;
        }

        var key = Key(address);
        var digest = good is null ? default : Digest(good);
        lock (_lock)
        {
            if (good is not null)
            {
                Remember((key, digest));
            }

            if (wrong > 0)
            {
                Count(key, wrong);
            }
        }
    }

    private bool IsGood((UInt128, UInt128) pair) => _good.Contains(pair) || _goodBefore.Contains(pair);

    // Two halves instead of an order of use: half of the places are the least that is remembered.
    private void Remember((UInt128, UInt128) pair)
    {
        if (_good.Count >= config.MaxRemembered / 2 && !_good.Contains(pair))
        {
            (_goodBefore, _good) = (_good, []);
        }

        _good.Add(pair);
    }

    private void Count(UInt128 key, int wrong)
    {
        var now = time.GetTimestamp();
        if (_entries.Remove(key, out var node))
        {
            _line.Remove(node);
        }

        // More than the double would only lengthen the wait.
        var level = Math.Min((node is null ? 0 : Level(node.Value)) + wrong, config.Limit * 2.0);
        while (_line.First is { } oldest && (_entries.Count >= config.MaxRemembered || Level(oldest.Value) <= 0))
        {
            _entries.Remove(oldest.Value.Key);
            _line.RemoveFirst();
        }

        _entries[key] = _line.AddLast(new Entry(key, level, now));
    }

    /// <summary>Wrong tokens that still count: all are forgotten within one window.</summary>
    private double Level(Entry entry) => Math.Max(0, entry.Level - (time.GetElapsedTime(entry.At) / config.Window * config.Limit));

    // Whoever has one address of IPv6 has at least the 2^64 of its network.
    private static UInt128 Key(IPAddress? address)
    {
        Span<byte> bytes = stackalloc byte[16];
        if (address is not null)
        {
            var plain = ClientAddress.Plain(address);
            plain.TryWriteBytes(bytes, out var length);
            bytes[(plain.AddressFamily == AddressFamily.InterNetworkV6 ? 8 : length)..].Clear();
            bytes[15] = (byte)(plain.AddressFamily == AddressFamily.InterNetworkV6 ? 6 : 4);
        }

        return BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }

    // Tokens themselves are not kept.
    private static UInt128 Digest(string token) => BinaryPrimitives.ReadUInt128BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(token)));

    private readonly record struct Entry(UInt128 Key, double Level, long At);
}
