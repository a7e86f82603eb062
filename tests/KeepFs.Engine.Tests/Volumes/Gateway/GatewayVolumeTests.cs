using KeepFs.Engine.Blocks;
using KeepFs.Engine.Volumes;
using KeepFs.Engine.Volumes.Gateway;
using KeepFs.Testing.Volumes;

namespace KeepFs.Engine.Tests.Volumes.Gateway;

public sealed class GatewayVolumeTests : ReadableVolumeContract, IAsyncLifetime, IAsyncDisposable
{
    private static readonly BlockHash Hello = BlockHash.Parse("720ace04639b981a5832bce8cd3e3738");
    private readonly GatewayWorld _world = new();

    public Task InitializeAsync() => Task.CompletedTask;

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    protected override async Task<IVolume> CreateAsync(IReadOnlyList<byte[]> blocks)
    {
        for (var i = 0; i < blocks.Count; i++)
        {
            _world.Write($"{i % 10}/{i}", blocks[i]);
        }

        await _world.ScanAsync();
        return _world.Volume;
    }

    protected override void PassTime() => _world.Time.Advance(TimeSpan.FromDays(36500));

    [Fact]
    public async Task Example_of_the_specification_is_read_from_either_object()
    {
        _world.Write("greeting.txt", "hello gateway");
        _world.Write("archive/all.bin", "xxhello gatewayyy");
        _world.Map(Hello, "0:13:greeting.txt\n2:13:archive/all.bin\n");

        Assert.Equal("hello gateway"u8.ToArray(), await _world.ReadAsync(Hello));
        File.Delete(_world.PathOf("greeting.txt"));
        Assert.Equal("hello gateway"u8.ToArray(), await _world.ReadAsync(Hello));
        Assert.Equal(["Gone greeting.txt"], _world.Events.Lines);
        Assert.Equal(["2:13:archive/all.bin", "0:13:greeting.txt"], _world.LinesOf(Hello));
    }

    [Fact]
    public async Task Overwritten_candidate_is_never_seen_and_the_next_is_used()
    {
        _world.Write("first", "HELLO GATEWAY");
        _world.Write("second", "hello gateway");
        _world.Map(Hello, "0:13:first\n0:13:second\n");

        Assert.Equal("hello gateway"u8.ToArray(), await _world.ReadAsync(Hello));
        Assert.Equal((1, 1), (_world.Volume.Counters[CandidateOutcome.Changed], _world.Volume.Counters[CandidateOutcome.Ok]));
    }

    [Fact]
    public async Task Content_that_is_nowhere_is_absent_and_told()
    {
        _world.Write("first", "HELLO GATEWAY");
        _world.Map(Hello, "0:13:first\n0:13:gone\n5:13:first\n");

        Assert.Null(await _world.ReadAsync(Hello));
        Assert.Equal(["Changed first", "Gone gone", "Gone first", "lost"], _world.Events.Lines);
    }

    [Theory]
    [InlineData("down")]
    [InlineData("gone,down")]
    [InlineData("down,changed")]
    public async Task Any_candidate_that_does_not_answer_means_unavailable(string candidates)
    {
        var source = new ScriptedObjects();
        source.Objects["changed"] = new byte[13];
        source.Down["down"] = true;
        _world.Source = source;
        _world.Map(Hello, string.Concat(candidates.Split(',').Select(key => $"0:13:{key}\n")));

        await Assert.ThrowsAsync<RemoteUnavailableException>(() => _world.ReadAsync(Hello));
        Assert.Equal(candidates.Split(','), _world.LinesOf(Hello).Select(line => line.Split(':')[2]));
    }

    [Fact]
    public async Task Unavailable_candidates_keep_their_place()
    {
        var source = new ScriptedObjects();
        source.Objects["good"] = "hello gateway"u8.ToArray();
        source.Down["down"] = true;
        _world.Source = source;
        _world.Map(Hello, "0:13:gone\n0:13:down\n0:13:good\n");

        Assert.NotNull(await _world.ReadAsync(Hello));
        Assert.Equal(["0:13:down", "0:13:good", "0:13:gone"], _world.LinesOf(Hello));
    }

    [Fact]
    public async Task Lines_are_reordered_at_most_once_a_minute()
    {
        _world.Write("good", "hello gateway");
        _world.Map(Hello, "0:13:a\n0:13:good\n");
        await _world.ReadAsync(Hello);
        _world.Map(Hello, "0:13:b\n0:13:good\n");
        await _world.ReadAsync(Hello);

        Assert.Equal(["0:13:b", "0:13:good"], _world.LinesOf(Hello));
    }

    [Fact]
    public async Task Candidate_that_sends_nothing_is_given_up()
    {
        var source = new ScriptedObjects();
        source.Objects["stalled"] = source.Objects["good"] = "hello gateway"u8.ToArray();
        source.Stalled["stalled"] = true;
        _world.Source = source;
        _world.Options = new GatewayVolumeOptions { ProgressTimeout = TimeSpan.FromMilliseconds(50) };
        _world.Map(Hello, "0:13:stalled\n0:13:good\n");

        Assert.Equal("hello gateway"u8.ToArray(), await _world.ReadAsync(Hello));
        Assert.Equal(["Unavailable stalled"], _world.Events.Lines);
    }

    [Fact]
    public async Task Size_hint_chooses_among_candidates_of_different_lengths()
    {
        _world.Write("good", "hello gateway");
        _world.Write("long", new byte[500]);
        _world.Map(Hello, "0:500:long\n0:13:good\n");

        Assert.Equal("hello gateway"u8.ToArray(), await _world.ReadAsync(Hello, sizeHint: 13, room: 13));
        Assert.Null(await _world.ReadAsync(Hello, sizeHint: 14, room: 14));
        Assert.Equal("hello gateway"u8.ToArray(), await _world.ReadAsync(Hello));
        Assert.Equal(["Changed long"], _world.Events.Lines);
    }

    [Fact]
    public async Task Malformed_lines_are_skipped_told_once_and_dropped_at_the_next_rewrite()
    {
        _world.Write("good", "hello gateway");
        _world.Map(Hello, "-1:13:x\n+5:13:x\n00:13:x\n0:67108865:x\n0:13:\n0:13:good\r\n0:13:gone\n0:13:good\n0:13:good\n");

        Assert.NotNull(await _world.ReadAsync(Hello));
        Assert.NotNull(await _world.ReadAsync(Hello));
        Assert.Equal(["malformed 6", "Gone gone"], _world.Events.Lines);
        Assert.Equal(["0:13:good", "0:13:gone"], _world.LinesOf(Hello));
    }

    [Fact]
    public async Task Empty_block_needs_no_mapping_and_no_store()
    {
        var source = new ScriptedObjects();
        _world.Source = source;

        Assert.Empty((await _world.ReadAsync(BlockHash.Empty))!);
        Assert.Equal(0, source.Opens);
    }

    [Fact]
    public async Task Keys_outside_the_prefix_are_not_served()
    {
        _world.Write("public/x", "hello gateway");
        _world.Write("private/x", "hello gateway");
        _world.Options = new GatewayVolumeOptions { Prefix = new ObjectKey("public/") };
        _world.Map(Hello, "0:13:private/x\n");
        Assert.Null(await _world.ReadAsync(Hello));

        _world.Map(Hello, "0:13:private/x\n0:13:public/x\n");
        Assert.NotNull(await _world.ReadAsync(Hello));
        Assert.Empty(_world.Events.Lines);
    }

    [Fact]
    public async Task Readers_of_one_block_share_one_read_of_the_store()
    {
        var source = new ScriptedObjects { Gate = new TaskCompletionSource() };
        source.Objects["good"] = "hello gateway"u8.ToArray();
        _world.Source = source;
        _world.Map(Hello, "0:13:good\n");

        var opened = new TaskCompletionSource();
        source.Opened = _ => opened.TrySetResult();
        var first = _world.ReadAsync(Hello);
        await opened.Task;
        var others = Enumerable.Range(0, 20).Select(_ => _world.ReadAsync(Hello)).ToArray();
        source.Gate.SetResult();

        Assert.All(await Task.WhenAll(others.Prepend(first)), block => Assert.Equal("hello gateway"u8.ToArray(), block));
        Assert.Equal(1, source.Opens);
    }

    [Fact]
    public async Task Readers_go_on_when_the_one_who_reads_for_them_gives_up()
    {
        var source = new ScriptedObjects { Gate = new TaskCompletionSource() };
        source.Objects["good"] = "hello gateway"u8.ToArray();
        _world.Source = source;
        _world.Map(Hello, "0:13:good\n");
        var opened = new TaskCompletionSource();
        source.Opened = _ => opened.TrySetResult();
        using var leaving = new CancellationTokenSource();
        var first = _world.Volume.ReadVerifiedAsync(Hello, 13, new byte[13], leaving.Token).AsTask();
        await opened.Task;
        var second = _world.ReadAsync(Hello, sizeHint: 13);
        using var leavingToo = new CancellationTokenSource();
        var third = _world.Volume.ReadVerifiedAsync(Hello, 13, new byte[13], leavingToo.Token).AsTask();

        await leavingToo.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => third);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        source.Gate.SetResult();
        Assert.Equal("hello gateway"u8.ToArray(), await second);
    }

    [Fact]
    public async Task Reads_of_the_store_at_once_are_limited()
    {
        var source = new ScriptedObjects { Gate = new TaskCompletionSource() };
        _world.Source = source;
        _world.Options = new GatewayVolumeOptions { MaxRemoteReads = 3 };
        var hashes = Enumerable.Range(0, 12).Select(i =>
        {
            var data = BitConverter.GetBytes(i);
            source.Objects[$"o{i}"] = data;
            return _world.Map(BlockHash.Compute(data), $"0:4:o{i}\n");
        }).ToArray();
        var third = new TaskCompletionSource();
        var opens = 0;
        source.Opened = _ =>
        {
            if (Interlocked.Increment(ref opens) == 3)
            {
                third.SetResult();
            }
        };

        var reads = hashes.Select(hash => _world.ReadAsync(hash)).ToArray();
        await third.Task;
        source.Gate.SetResult();
        Assert.All(await Task.WhenAll(reads), Assert.NotNull);
        Assert.Equal(3, source.MostRunning);
    }

    [Fact]
    public async Task Index_lists_a_hash_with_several_candidates_once()
    {
        _world.Map(Hello, "0:13:a\n0:13:b\n");
        _world.Map(BlockHash.Compute("x"u8), "malformed\n");

        var listed = new List<IndexEntry>();
        await foreach (var entry in _world.Volume.IndexAsync("", default))
        {
            listed.Add(entry);
        }

        Assert.Equal((Hello, 13L), (Assert.Single(listed).Hash, listed[0].SizeBytes));
    }

    [Fact]
    public async Task Index_is_counted_and_counted_again_after_a_change()
    {
        _world.Write("a", "same");
        _world.Write("b", "same");
        _world.Write("c", "other");
        await _world.ScanAsync();
        Assert.Equal(new IndexTotals(2, 3, 3), await _world.Volume.CountAsync(default));

        File.Delete(_world.PathOf("b"));
        await _world.ScanAsync();
        Assert.Equal(new IndexTotals(2, 2, 2), await _world.Volume.CountAsync(default));
        Assert.Equal(0, (await _world.Volume.GetLastScanAsync(default))!.Errors);
    }

    [Fact]
    public async Task Index_that_may_not_be_written_still_serves()
    {
        _world.Write("good", "hello gateway");
        _world.Map(Hello, "0:13:gone\n0:13:good\n");

        // A directory in the place of the lock file: even root cannot open it for writing.
        Directory.CreateDirectory(Path.Combine(_world.Mappings, ".lock.720"));

        Assert.NotNull(await _world.ReadAsync(Hello));
        Assert.Equal(["Gone gone", "reorder failed"], _world.Events.Lines);
    }
}
