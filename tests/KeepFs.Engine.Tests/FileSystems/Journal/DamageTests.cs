using KeepFs.Engine.FileSystems.Journal;
using static KeepFs.Engine.Tests.FileSystems.CollectionWorld;

namespace KeepFs.Engine.Tests.FileSystems.Journal;

/// <summary>What a power failure or a bad disk may leave of a journal: the replay gives a state that was once answered, and none before the last sync.</summary>
public sealed class DamageTests : IAsyncDisposable
{
    private readonly JournalWorld _world = new();
    private readonly List<string> _states = [];
    private Dictionary<string, byte[]> _synced = [];
    private int _statesAtSync;
    private string _uuid = "";

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task A_log_cut_at_any_byte_gives_a_state_since_the_last_sync()
    {
        await WorkAsync(seed: 11);
        var log = _world.Files.Last(path => path.EndsWith(".log", StringComparison.Ordinal));
        var synced = _synced.TryGetValue(log, out var bytes) ? bytes.Length : 0;
        var length = (int)new FileInfo(log).Length;

        // Every byte of the last few records, and a sample of the others.
        for (var cut = synced; cut <= length; cut += cut < length - 300 ? 23 : 1)
        {
            await CheckAsync(crash => Resize(Path.Combine(crash, Path.GetRelativePath(_world.Root, log)), cut), $"cut at {cut} of {length}", mayWarn: false);
        }
    }

    [Fact]
    public async Task Zeros_and_missing_bytes_after_the_last_sync_give_a_state_since_then()
    {
        await WorkAsync(seed: 12);
        var random = new Random(1);
        for (var round = 0; round < 60; round++)
        {
            await CheckAsync(
                crash =>
                {
                    foreach (var file in Directory.EnumerateFiles(crash, "*.*", SearchOption.AllDirectories))
                    {
                        var synced = _synced.TryGetValue(Path.Combine(_world.Root, Path.GetRelativePath(crash, file)), out var bytes) ? bytes.Length : 0;
                        var length = (int)new FileInfo(file).Length;
                        var keep = random.Next(3) == 0 ? length : random.Next(synced, length + 1);
                        Resize(file, keep);
                        Resize(file, random.Next(2) == 0 ? keep : length);
                    }
                },
                $"round {round}",
                mayWarn: true);
        }
    }

    [Fact]
    public async Task A_flipped_bit_anywhere_never_gives_a_state_that_was_not_answered_and_keeps_the_files()
    {
        await WorkAsync(seed: 13);
        var random = new Random(2);
        _statesAtSync = 0;
        for (var round = 0; round < 150; round++)
        {
            var crash = await CheckAsync(
                crash =>
                {
                    var files = Directory.GetFiles(crash, "*.*", SearchOption.AllDirectories);
                    var file = files[random.Next(files.Length)];
                    var bytes = File.ReadAllBytes(file);
                    bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
                    File.WriteAllBytes(file, bytes);
                },
                $"round {round}",
                mayWarn: true);
            if (crash.Log.Exists(line => line.Contains("cannot be read", StringComparison.Ordinal)))
            {
                Assert.NotEmpty(Directory.GetDirectories(crash.Root, "damaged-*", SearchOption.AllDirectories));
            }
        }
    }

    [Fact]
    public async Task Random_bytes_are_no_records()
    {
        var random = new Random(3);
        using var folder = new Testing.Volumes.TemporaryFolder();
        for (var round = 0; round < 500; round++)
        {
            var bytes = new byte[random.Next(4000)];
            random.NextBytes(bytes);
            if (round % 2 == 0 && bytes.Length > 8)
            {
                ChainFiles.Magic.CopyTo(bytes);
            }

            File.WriteAllBytes(ChainFiles.Log(folder.Path, 1), bytes);
            Assert.Empty(new ChainReader(folder.Path).Read());
            Assert.False(ChainScan.Read(folder.Path).HasChanges);
        }
    }

    /// <summary>Random work with one save and one sync; remembers the states that were answered.</summary>
    private async Task WorkAsync(int seed)
    {
        _uuid = await _world.World.CreateAsync();
        var collection = await _world.World.OpenAsync(_uuid);
        var random = new Random(seed);
        var operations = new RandomOperations(collection, random, leavesNoGaps: true);
        for (var step = 0; step < 60; step++)
        {
            await operations.NextAsync();
        }

        await collection.SaveAsync(default);
        await collection.Root.CreateFileAsync("kept", default);
        _states.Add(await JournalWorld.DescribeAsync(collection.Root));
        await WriteAsync(collection, "kept", "something to begin with");
        _states.Add(await JournalWorld.DescribeAsync(collection.Root));
        for (var step = 0; step < 80; step++)
        {
            if (step == 30)
            {
                _world.Journal.SyncNow();
                _statesAtSync = _states.Count - 1;
                _synced = _world.Files.ToDictionary(path => path, File.ReadAllBytes);
            }

            await operations.NextAsync();
            _states.Add(await JournalWorld.DescribeAsync(collection.Root));
        }

        // A chain whose first record is damaged says nothing.
        _states.Insert(0, await _world.DescribeSavedAsync(_world.World.Catalog, _uuid));
        _statesAtSync++;
    }

    private async Task<Crash> CheckAsync(Action<string> damage, string what, bool mayWarn)
    {
        var crash = _world.Crash();
        damage(crash.Root);
        var actual = await crash.ReplayAsync(_uuid);
        var at = _states.LastIndexOf(actual);
        Assert.True(at >= _statesAtSync, $"{what}: state {at} of {_states.Count}, synced {_statesAtSync}\nactual:\n{actual}\nsynced:\n{_states[_statesAtSync]}\n{string.Join('\n', crash.Log)}");
        Assert.True(mayWarn || !crash.Log.Exists(line => line.Contains("cannot be read", StringComparison.Ordinal)), string.Join('\n', crash.Log));
        return crash;
    }

    private static void Resize(string path, int length)
    {
        using var file = File.OpenWrite(path);
        file.SetLength(length);
    }
}
