using System.Security.Cryptography;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Volumes.Gateway;

namespace KeepFs.Engine.Tests.Volumes.Gateway;

public sealed class GatewayScanTests : IAsyncLifetime, IAsyncDisposable
{
    private const int B = Locator.MaxBlockSizeBytes;
    private readonly GatewayWorld _world = new();

    public Task InitializeAsync() => Task.CompletedTask;

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task Object_of_65_MiB_is_the_vector_of_the_specification()
    {
        Sparse("data/zero65", 68157440);
        await _world.ScanAsync();

        Assert.Equal(
            ["7f6/7f614da9329cd3aebf59b91aadc30bf0 0:67108864:data/zero65", "b6d/b6d81b360a5672d80c27430f39153e2c 67108864:1048576:data/zero65"], Mappings());
        var last = new byte[1048576];
        Assert.Equal(last.Length, await _world.Volume.ReadVerifiedAsync(BlockHash.Parse("b6d81b360a5672d80c27430f39153e2c"), last.Length, last, default));

        using (var file = File.OpenWrite(_world.PathOf("data/zero65")))
        {
            file.SetLength(68157439);
        }

        Assert.Null(await _world.ReadAsync(BlockHash.Parse("b6d81b360a5672d80c27430f39153e2c"), room: 1048576));
        Assert.Equal(["Gone data/zero65"], _world.Events.Lines);
    }

    [Theory]
    [InlineData(0, "0:0")]
    [InlineData(1, "0:1")]
    [InlineData(B, "0:67108864")]
    [InlineData(B + 1, "0:67108864 67108864:1")]
    [InlineData(2L * B, "0:67108864 67108864:67108864")]
    public async Task Segments_are_those_of_the_table(long size, string segments)
    {
        Sparse("object", size);
        var progress = new RecordedScan();
        await _world.ScanAsync(progress: progress);

        Assert.Equal(segments, string.Join(' ', Assert.Single(progress.Entries).Segments.Select(segment => $"{segment.Offset}:{segment.Length}")));
        var lines = Mappings().Select(line => line.Split(' ')[1]).Order(StringComparer.Ordinal);
        Assert.Equal(segments.Split(' ').Select(segment => segment + ":object").Order(StringComparer.Ordinal), lines);
    }

    [Fact]
    public async Task Many_objects_are_indexed_with_their_real_hashes()
    {
        var random = new Random(7);
        for (var i = 0; i < 400; i++)
        {
            var data = new byte[random.Next(i % 50 == 0 ? 3_000_000 : 3000)];
            random.NextBytes(data);
            _world.Write($"d{i % 7}/f{i}", data);
        }

        var report = await _world.ScanAsync();

        Assert.Equal((400, 400, 0, 0), (report.Listed, report.Read, report.Removed, report.Errors));
        var wanted = Directory.EnumerateFiles(_world.Root, "*", SearchOption.AllDirectories)
            .Select(path => (Path: path, Hash: Convert.ToHexStringLower(MD5.HashData(File.ReadAllBytes(path)))))
            .Select(file => $"{file.Hash[..3]}/{file.Hash} 0:{new FileInfo(file.Path).Length}:{Path.GetRelativePath(_world.Root, file.Path)}");
        Assert.Equal(wanted.Order(StringComparer.Ordinal), Mappings());
    }

    [Fact]
    public async Task Unchanged_objects_are_not_read_again()
    {
        _world.Write("a", "one");
        _world.Write("b", "two");
        await SettleAsync();
        await _world.ScanAsync();
        _world.Write("b", "TWO");

        var progress = new RecordedScan();
        var report = await _world.ScanAsync(progress: progress);

        Assert.Equal((2, 1, 1), (report.Listed, report.Kept, report.Read));
        Assert.Equal(["a", "b"], progress.Entries.Select(entry => entry.Info.Key.ToString()).Order(StringComparer.Ordinal));
        Assert.Null(await _world.ReadAsync(BlockHash.Compute("two"u8)));
        Assert.Equal("TWO"u8.ToArray(), await _world.ReadAsync(BlockHash.Compute("TWO"u8)));
        Assert.Empty(_world.LinesOf(BlockHash.Compute("two"u8)));
    }

    [Fact]
    public async Task File_that_changed_a_moment_ago_is_read_again_next_time()
    {
        _world.Write("young", "one");
        await _world.ScanAsync();

        Assert.Equal(1, (await _world.ScanAsync()).Read);
    }

    [Fact]
    public async Task Removed_object_loses_its_lines_and_its_entry_and_others_keep_theirs()
    {
        _world.Write("a", "same");
        _world.Write("b", "same");
        await _world.ScanAsync();
        File.Delete(_world.PathOf("a"));

        Assert.Equal(1, (await _world.ScanAsync()).Removed);
        Assert.Equal(["0:4:b"], _world.LinesOf(BlockHash.Compute("same"u8)));
        Assert.Single(_world.Index.Objects.KeyHashes());

        File.Delete(_world.PathOf("b"));
        await _world.ScanAsync(new GatewayScanOptions { MayRemoveAll = true });
        Assert.Empty(Mappings());
    }

    [Fact]
    public async Task Objects_outside_the_prefix_are_not_removed()
    {
        _world.Write("a/x", "one");
        _world.Write("b/x", "two");
        await _world.ScanAsync();
        File.Delete(_world.PathOf("a/x"));
        File.Delete(_world.PathOf("b/x"));

        await _world.ScanAsync(new GatewayScanOptions { Prefix = new ObjectKey("a/"), MayRemoveAll = true });

        Assert.Equal(["b/x"], Mappings().Select(line => line.Split(':')[2]));
    }

    [Fact]
    public async Task Empty_listing_of_a_full_index_is_refused()
    {
        _world.Write("a", "one");
        await _world.ScanAsync();
        File.Delete(_world.PathOf("a"));

        await Assert.ThrowsAsync<EmptyListingException>(() => _world.ScanAsync());
        Assert.Single(Mappings());
    }

    [Fact]
    public async Task Interrupted_or_partial_listing_removes_nothing()
    {
        var source = new ScriptedObjects();
        source.Objects["a"] = "one"u8.ToArray();
        source.Objects["b"] = "two"u8.ToArray();
        source.Objects["c"] = "three"u8.ToArray();
        await _world.NewScan(source).RunAsync(source.ListAsync(), () => true, default);
        source.Objects.Remove("a", out _);

        await Assert.ThrowsAsync<ObjectUnavailableException>(() => _world.NewScan(source).RunAsync(source.ListAsync(failAfter: 1), () => true, default));
        await _world.NewScan(source).RunAsync(source.ListAsync(), () => false, default);

        Assert.Equal(3, Mappings().Length);
        Assert.Equal(1, (await _world.NewScan(source).RunAsync(source.ListAsync(), () => true, default)).Removed);
    }

    [Fact]
    public async Task Object_that_cannot_be_read_keeps_its_lines_and_is_counted()
    {
        var source = new ScriptedObjects();
        source.Objects["a"] = "one"u8.ToArray();
        source.Objects["b"] = "two"u8.ToArray();
        await _world.NewScan(source).RunAsync(source.ListAsync(), () => true, default);
        source.Objects["a"] = "ONE"u8.ToArray();
        source.Down["a"] = true;
        var progress = new RecordedScan();

        var report = await _world.NewScan(source, progress: progress).RunAsync(source.ListAsync(), () => true, default);

        Assert.Equal((1, 0), (report.Errors, report.Removed));
        Assert.Equal(["a: down"], progress.Failures);
        Assert.Equal(["0:3:a"], _world.LinesOf(BlockHash.Compute("one"u8)));
        Assert.Equal(1, ScanSummary.Read(_world.Index)!.Errors);
    }

    [Fact]
    public async Task ETag_is_believed_only_when_asked_for()
    {
        var source = new ScriptedObjects();
        source.Objects["a"] = "one"u8.ToArray();

        await _world.NewScan(source, new GatewayScanOptions { TrustsETag = true }).RunAsync(source.ListAsync(), () => true, default);

        Assert.Equal(0, source.Opens);
        Assert.Equal(["0:3:a"], _world.LinesOf(BlockHash.Compute("one"u8)));
    }

    [Fact]
    public async Task Second_scan_at_the_same_time_is_refused()
    {
        var source = new ScriptedObjects { Gate = new TaskCompletionSource() };
        source.Objects["a"] = "one"u8.ToArray();
        var opened = new TaskCompletionSource();
        source.Opened = _ => opened.TrySetResult();
        var first = _world.NewScan(source).RunAsync(source.ListAsync(), () => true, default);
        await opened.Task;

        var refused = await Assert.ThrowsAsync<IOException>(() => _world.NewScan(source).RunAsync(source.ListAsync(), () => true, default));
        Assert.Contains("Another scan", refused.Message, StringComparison.Ordinal);
        source.Gate.SetResult();
        await first;
    }

    /// <summary>Reads go on all the time while a scan replaces, adds and removes around them.</summary>
    [Fact]
    public async Task Scan_at_the_same_time_never_hides_an_unchanged_object()
    {
        for (var i = 0; i < 40; i++)
        {
            _world.Write($"kept{i}", $"kept {i % 4}");
        }

        await _world.ScanAsync();
        using var stop = new CancellationTokenSource();
        var reading = Task.Run(async () =>
        {
            var reads = 0;
            while (!stop.IsCancellationRequested)
            {
                var text = $"kept {reads++ % 4}";
                Assert.NotNull(await _world.ReadAsync(BlockHash.Compute(System.Text.Encoding.UTF8.GetBytes(text))));
            }

            return reads;
        });
        for (var round = 0; round < 5; round++)
        {
            // Other objects of the same content come and go, so the same mappings are rewritten.
            for (var i = 0; i < 40; i++)
            {
                var path = _world.PathOf($"moved{i}");
                if ((round & 1) == 0)
                {
                    _world.Write($"moved{i}", $"kept {i % 4}");
                }
                else
                {
                    File.Delete(path);
                }
            }

            await _world.ScanAsync();
        }

        await stop.CancelAsync();
        Assert.True(await reading > 0);
    }

    [Fact]
    public async Task Damaged_catalogue_entry_only_costs_a_read()
    {
        _world.Write("a", "one");
        await SettleAsync();
        await _world.ScanAsync();
        var entry = Assert.Single(Directory.GetFiles(Path.Combine(_world.Mappings, "objects"), "*", SearchOption.AllDirectories));
        await File.WriteAllTextAsync(entry, "a\nnonsense\n");

        Assert.Equal(1, (await _world.ScanAsync()).Read);
        Assert.Equal(1, (await _world.ScanAsync()).Kept);
    }

    /// <summary>Until the versions of files just written are believed.</summary>
    private async Task SettleAsync()
    {
        await using var files = new FileObjects(_world.Root, TimeProvider.System);
        while (await _world.ListAsync(files).AnyAsync(item => item.ETag.EndsWith('?')))
        {
            await Task.Delay(100);
        }
    }

    private void Sparse(string key, long size)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_world.PathOf(key))!);
        using var file = File.Create(_world.PathOf(key));
        file.SetLength(size);
    }

    private string[] Mappings() =>
        [.. from directory in Directory.GetDirectories(_world.Mappings)
            where Path.GetFileName(directory).Length == 3
            from file in Directory.GetFiles(directory)
            from line in File.ReadLines(file)
            orderby file, line
            select $"{Path.GetFileName(directory)}/{Path.GetFileName(file)} {line}"];
}
