using System.Globalization;
using System.Text.Json;

namespace KeepFs.Conformance.Tests;

/// <summary>A mount process is killed; what it answered is there when it is started again.</summary>
[Collection(ClusterTests.Name)]
public sealed class JournalTests(SharedCluster shared)
{
    private static readonly bool IsFull = Environment.GetEnvironmentVariable("KEEPFS_TEST_FULL") == "1";
    private static readonly int Kills = IsFull ? 40 : 4;

    [Fact]
    public async Task Closed_files_are_there_after_kill_9_in_the_middle_of_writing_many()
    {
        await using var mount = await JournaledMount.StartAsync(shared.Process);
        var folder = Path.Combine(mount.Home, "kill " + Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(folder);
        var random = new Random(17);
        var closed = new List<(string Name, int Size)>();
        for (var kill = 0; kill < Kills; kill++)
        {
            var before = closed.Count;
            var writing = Task.Run(() => WriteUntilDead(folder, closed, random));
            await Task.Delay(random.Next(200, 3000));
            await mount.KillAsync();
            await writing;
            await mount.StartAgainAsync();
            Check(closed.Skip(before), $"after kill {kill}");
        }

        Check(closed, "at the end");

        Assert.True(closed.Count > Kills * 10, "The load was no load.");
        Assert.DoesNotContain(Directory.EnumerateFiles(folder), path => path.Contains("conflict", StringComparison.Ordinal));
        await mount.StopAsync();
        Assert.Empty(mount.JournalFiles());

        void Check(IEnumerable<(string Name, int Size)> files, string when)
        {
            foreach (var (name, size) in files)
            {
                Assert.True(File.ReadAllBytes(Path.Combine(folder, name)).AsSpan().SequenceEqual(Content(name, size)), $"{name} {when}");
            }
        }
    }

    [Fact]
    public async Task Status_tells_of_the_mount_and_of_what_waits_for_one()
    {
        await using var mount = await JournaledMount.StartAsync(shared.Process);
        Assert.Contains("everything is saved", (await mount.StatusAsync()).Ok(), StringComparison.Ordinal);
        var folder = Path.Combine(mount.Home, "status " + Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(folder);
        await using (var open = new FileStream(Path.Combine(folder, "open"), FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0))
        {
            open.Write(new byte[100_000]);
            using var status = JsonDocument.Parse((await mount.StatusAsync("--json")).Ok());
            var told = status.RootElement.GetProperty("mounts")[0];
            Assert.Equal(mount.MountPoint, told.GetProperty("mount_point").GetString());
            var file = told.GetProperty("unsaved")[0].GetProperty("files")[0];
            Assert.Equal("open", file.GetProperty("path").GetString());
            Assert.Equal(100_000, file.GetProperty("bytes").GetInt64());
            Assert.True(file.GetProperty("is_open").GetBoolean());
            await mount.KillAsync();
            Assert.Throws<IOException>(() => open.WriteByte(1));
        }

        var left = (await mount.StatusAsync()).Ok();
        Assert.Contains("no mounts", left, StringComparison.Ordinal);
        Assert.Contains("left by an earlier mount", left, StringComparison.Ordinal);
        await mount.StartAgainAsync();
        Assert.Equal(100_000, new FileInfo(Path.Combine(folder, "open")).Length);
        await mount.StopAsync();
    }

    [Fact]
    public async Task While_catalogue_and_keepstores_are_gone_files_can_be_closed_and_fsync_fails_and_later_everything_is_saved()
    {
        await using var cluster = await KeepFsProcess.StartAsync();
        await using var mount = await JournaledMount.StartAsync(cluster);
        var folder = Path.Combine(mount.Home, "away");
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "before"), "before");
        (await cluster.ScriptAsync($"sync '{folder}/before'")).Ok();

        await cluster.KillOnlyAsync();
        await Mounts.RemoveBelowAsync(cluster.MountPoint);
        File.WriteAllText(Path.Combine(folder, "meanwhile"), "meanwhile");
        Assert.Equal("meanwhile", File.ReadAllText(Path.Combine(folder, "meanwhile")));
        Assert.Contains("Input/output error", (await cluster.ScriptAsync($"sync '{folder}/meanwhile'")).Failed(), StringComparison.Ordinal);
        Assert.Contains("meanwhile", (await mount.StatusAsync()).Ok(), StringComparison.Ordinal);

        await cluster.StartAgainAsync();
        await Eventually.TrueAsync(async () => (await cluster.ScriptAsync($"sync '{folder}/meanwhile'")).ExitCode == 0, "the file is saved");
        Assert.Equal("meanwhile", (await cluster.ScriptAsync("cat \"$HOME_DIR/away/meanwhile\"")).Ok());
        Assert.Equal("before", File.ReadAllText(Path.Combine(folder, "before")));
        await mount.StopAsync();
        Assert.Empty(mount.JournalFiles());
    }

    [Fact]
    public async Task More_than_memory_holds_is_written_while_the_cluster_is_gone_and_saved_by_the_next_mount()
    {
        await using var cluster = await KeepFsProcess.StartAsync();
        await using var mount = await JournaledMount.StartAsync(cluster);
        var folder = Path.Combine(mount.Home, "more");
        Directory.CreateDirectory(folder);
        (await cluster.ScriptAsync($"head -c 450000000 /dev/urandom > large; echo before > {folder}/before; sync {folder}")).Ok();
        await cluster.KillOnlyAsync();
        await Mounts.RemoveBelowAsync(cluster.MountPoint);

        (await cluster.ScriptAsync($"cp large {folder}/large; cmp large {folder}/large; echo small > {folder}/small")).Ok();
        Assert.Contains("put aside", mount.Errors, StringComparison.Ordinal);
        await mount.KillAsync();
        await cluster.StartAgainAsync();
        await mount.StartAgainAsync();
        (await cluster.ScriptAsync($"cmp large {folder}/large; test $(cat {folder}/small) = small; sync {folder}")).Ok();
        await mount.StopAsync();
        Assert.Empty(mount.JournalFiles());
    }

    public static TheoryData<int> Seeds => IsFull ? [1, 2, 3, 4, 5] : [1];

    /// <summary>A million operations over five seeds in the long run.</summary>
    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Random_operations_through_the_kernel_match_a_model_through_kills(int seed)
    {
        await using var mount = await JournaledMount.StartAsync(shared.Process);
        var folder = Path.Combine(mount.Home, string.Create(CultureInfo.InvariantCulture, $"random {seed} {Guid.NewGuid():N}"));
        Directory.CreateDirectory(folder);
        var (operations, period) = IsFull ? (200_000, 10_000) : (3_000, 750);
        using var driver = new RandomFileOperations(folder, seed);
        for (var done = 0; done < operations; done += period)
        {
            await Task.Run(() => driver.Run(period));
            await mount.KillAsync();
            driver.Forget();
            await mount.StartAgainAsync();
            driver.Verify();
        }

        await mount.StopAsync();
        Assert.Empty(mount.JournalFiles());
        await mount.StartAgainAsync();
        driver.Verify();
        await mount.StopAsync();
    }

    private static void WriteUntilDead(string folder, List<(string Name, int Size)> closed, Random random)
    {
        try
        {
            while (true)
            {
                var (name, size) = ($"f{closed.Count}", random.Next(20) == 0 ? random.Next(3_000_000) : random.Next(5000));
                using (var file = File.OpenHandle(Path.Combine(folder, name), FileMode.Create, FileAccess.Write))
                {
                    RandomAccess.Write(file, Content(name, size), 0);
                }

                // Disposing does not tell of errors, but what was written was answered.
                closed.Add((name, size));
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The mount is dead.
        }
    }

    private static byte[] Content(string name, int size)
    {
        var data = new byte[size];
        new Random(int.Parse(name.AsSpan(1), CultureInfo.InvariantCulture)).NextBytes(data);
        return data;
    }
}
