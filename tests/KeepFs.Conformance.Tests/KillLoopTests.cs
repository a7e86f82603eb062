using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using Xunit.Abstractions;

namespace KeepFs.Conformance.Tests;

/// <summary>
/// A real keepstore on a real disk is killed again and again under load. A client remembers what was acknowledged: after every start a sample of
/// it, and in the end all of it, is there and right, and is listed with no older time than was promised.
/// </summary>
public sealed class KillLoopTests(ITestOutputHelper output) : IDisposable
{
    // 200 take about seven minutes.
    private static readonly int Kills = Environment.GetEnvironmentVariable("KEEPFS_TEST_FULL") == "1" ? 200 : 8;
    private const int Writers = 24;
    private const int Sample = 40;
    private readonly string _root = Directory.CreateTempSubdirectory("keepfs-kill-").FullName;
    private readonly ConcurrentDictionary<string, Acknowledged> _acknowledged = new();
    private int _nextSeed;
    private int _puts;
    private int _touches;
    private int _repairs;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task Nothing_acknowledged_is_lost_over_many_kills()
    {
        var random = new Random(4711);
        var longestStart = TimeSpan.Zero;
        await using var daemon = await KeepstoreDaemon.StartAsync(_root);
        for (var kill = 0; kill < Kills; kill++)
        {
            using var stop = new CancellationTokenSource();
            var writers = Enumerable.Range(0, Writers).Select(i => WriteAsync(daemon, new Random((kill * 1000) + i), stop.Token)).ToArray();
            await Task.Delay(random.Next(50, 1000));
            var death = daemon.KillAsync();
            await stop.CancelAsync();
            await death;
            await Task.WhenAll(writers);
            var start = Stopwatch.StartNew();
            await daemon.StartAgainAsync();
            longestStart = start.Elapsed > longestStart ? start.Elapsed : longestStart;
            await VerifyAsync(daemon, Enumerable.Range(0, Sample).Select(_ => _acknowledged.ElementAtOrDefault(random.Next(Math.Max(1, _acknowledged.Count)))).Where(entry => entry.Key is not null));
        }

        var index = await daemon.IndexAsync();
        foreach (var (hash, block) in _acknowledged)
        {
            Assert.True(index.TryGetValue($"{hash}+{block.Size}", out var mtime), $"{hash} is not in the index.");
            Assert.True(mtime >= block.MtimeNanoseconds, $"{hash} has mtime {mtime}; {block.MtimeNanoseconds} was promised.");
        }

        Assert.All(index.Keys, locator => Assert.Matches(@"\A[0-9a-f]{32}\+[0-9]+\z", locator));
        await VerifyAsync(daemon, _acknowledged);
        output.WriteLine($"{Kills} kills, {_acknowledged.Count} blocks acknowledged and verified; {_puts} PUTs, {_touches} touches, {_repairs} repairs; longest start {longestStart.TotalSeconds:0.0} s");
        Assert.True(_acknowledged.Count > Kills && _touches > 0 && _repairs > 0, "The load was no load.");
    }

    private async Task WriteAsync(KeepstoreDaemon daemon, Random random, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            switch (random.Next(20))
            {
                case 0:
                    await PutNewAsync(daemon, (2 << 20) + random.Next(4 << 20));
                    break;
                case < 12:
                    await PutNewAsync(daemon, 1 + random.Next(8192));
                    break;
                case < 15 when Take(random) is (var hash, var block):
                    await AgainAsync(() => daemon.PutAsync(block.Data()), hash, block, isRemembered: true);
                    break;
                case < 18 when Take(random) is (var hash, var block):
                    if (await AgainAsync(() => daemon.TouchAsync(hash), hash, block, isRemembered: true))
                    {
                        Interlocked.Increment(ref _touches);
                    }

                    break;
                case var _ when Take(random) is (var hash, var block) && block.Size < 10_000:
                    // Nobody was promised that a copy survives this; the PUT promises it anew.
                    Blocks.Corrupt(_root, hash);
                    if (await AgainAsync(() => daemon.PutAsync(block.Data()), hash, block, isRemembered: false))
                    {
                        Interlocked.Increment(ref _repairs);
                    }

                    break;
            }
        }
    }

    private async Task PutNewAsync(KeepstoreDaemon daemon, int size)
    {
        var block = new Acknowledged(Interlocked.Increment(ref _nextSeed), size, 0);
        var data = block.Data();
        await AgainAsync(() => daemon.PutAsync(data), Blocks.Hash(data), block, isRemembered: false);
    }

    /// <summary>Sends; an acknowledgement is remembered with its time. Without one the old promise holds, if there is one.</summary>
    private async Task<bool> AgainAsync(Func<Task<HttpStatusCode?>> send, string hash, Acknowledged block, bool isRemembered)
    {
        var now = (DateTimeOffset.UtcNow - DateTimeOffset.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick;
        var status = await send();
        Assert.True(status is HttpStatusCode.OK or null, $"{status}");
        if (status == HttpStatusCode.OK)
        {
            Interlocked.Increment(ref _puts);
            _acknowledged[hash] = block with { MtimeNanoseconds = now };
            return true;
        }

        if (isRemembered)
        {
            _acknowledged[hash] = block;
        }

        return false;
    }

    /// <summary>A block that nobody else works on while it is taken.</summary>
    private (string Hash, Acknowledged Block)? Take(Random random)
    {
        var (hash, _) = _acknowledged.ElementAtOrDefault(random.Next(Math.Max(1, Math.Min(200, _acknowledged.Count))));
        return hash is not null && _acknowledged.TryRemove(hash, out var block) ? (hash, block) : null;
    }

    private static async Task VerifyAsync(KeepstoreDaemon daemon, IEnumerable<KeyValuePair<string, Acknowledged>> blocks)
    {
        foreach (var (_, block) in blocks)
        {
            await daemon.AssertHasAsync(block.Data());
        }
    }

    /// <summary>A block as the seed and size of its bytes, and the oldest time that it may have.</summary>
    private sealed record Acknowledged(int Seed, int Size, long MtimeNanoseconds)
    {
        public byte[] Data()
        {
            var data = new byte[Size];
            new Random(Seed).NextBytes(data);
            return data;
        }
    }
}
