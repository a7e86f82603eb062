using KeepFs.Cli.Mount;
using KeepFs.Engine.FileSystems;

namespace KeepFs.Cli.Tests.Mount;

/// <summary>The command line of a mount, and what it becomes under each name.</summary>
public sealed class MountArgumentTests
{
    [Theory]
    [InlineData("mount m --exec ls -l", "mount m", "ls -l")]
    [InlineData("arv-mount --exec ls --exec x -- m", "arv-mount m", "ls --exec x")]
    [InlineData("mount --exec", "mount", "")]
    [InlineData("mount m", "mount m", null)]
    [InlineData("put --exec ls", "put --exec ls", null)]
    public void Exec_takes_the_rest_of_the_line_or_up_to_two_dashes(string line, string ours, string? exec)
    {
        var (rest, command) = ExecArguments.Split(line.Split(' '));
        Assert.Equal(ours, string.Join(' ', rest));
        Assert.Equal(exec, command is null ? null : string.Join(' ', command));
    }

    [Theory]
    [InlineData("/usr/bin/arv-mount", "--home m", "arv-mount --home m")]
    [InlineData("keepfs", "arv-mount m", "arv-mount m")]
    [InlineData("keepfs", "mount m", "mount m")]
    public void The_name_of_the_link_is_the_verb(string name, string arguments, string expected) =>
        Assert.Equal(expected, string.Join(' ', InvokedName.Prepare(arguments.Split(' '), name)));

    [Fact]
    public void Defaults_are_those_of_the_name()
    {
        var (keepfs, arv) = (Parse(MountStyle.KeepFs, "m"), Parse(MountStyle.ArvMount, "m"));
        Assert.Equal((false, false, false, null), (keepfs.Site.IsReadOnly, keepfs.Fuse.IsReadOnly, keepfs.Collections.SyncOnClose, keepfs.Retries));
        Assert.Equal((true, true, true, 10), (arv.Site.IsReadOnly, arv.Fuse.IsReadOnly, arv.Collections.SyncOnClose, arv.Retries));
        Assert.Equal(SiteRoot.AllWithUsers, keepfs.Site.Root);
        Assert.Equal(SiteRoot.All, arv.Site.Root);
        Assert.True(IsDaemon(MountStyle.ArvMount, "m", hasExec: false));
        Assert.False(IsDaemon(MountStyle.ArvMount, "m", hasExec: true));
        Assert.False(IsDaemon(MountStyle.ArvMount, "m --foreground", hasExec: false));
        Assert.False(IsDaemon(MountStyle.KeepFs, "m", hasExec: false));
        Assert.True(IsDaemon(MountStyle.KeepFs, "m --background", hasExec: false));
    }

    [Fact]
    public void Values_reach_the_settings()
    {
        var settings = Parse(
            MountStyle.ArvMount,
            "m --read-write --fast-close --subtype s --unmount-timeout 3.5 --refresh-time 7 --retries 0 --storage-classes b,a,b --directory-cache 2M --ram-cache --file-cache 1G --disable-event-listening --crunchstat-interval 2");
        Assert.Equal((false, false, "s"), (settings.Site.IsReadOnly, settings.Collections.SyncOnClose, settings.Fuse.Subtype));
        Assert.Equal((TimeSpan.FromSeconds(3.5), TimeSpan.FromSeconds(7), TimeSpan.FromSeconds(2)), (settings.Fuse.UnmountTimeout, settings.Site.RefreshTime, settings.StatisticsInterval));
        Assert.Equal(["b", "a"], settings.Site.StorageClasses);
        Assert.Equal(["b", "a"], settings.Collections.Write.StorageClasses);
        Assert.Equal((0, 2L << 20, false), (settings.Retries, settings.Site.MetadataBytes, settings.Listens));
        Assert.Equal((1L << 30, null), (settings.Cache.MemoryBytes, settings.Cache.Disk));
    }

    [Fact]
    public void Disk_cache_has_its_folder_and_at_least_64_MiB()
    {
        var disk = Parse(MountStyle.KeepFs, "m --disk-cache-dir /tmp/somewhere --file-cache 1").Cache.Disk!;
        Assert.Equal(("/tmp/somewhere", 64L << 20), (disk.Path, disk.CapacityBytes));
        Assert.EndsWith("/keep", Parse(MountStyle.KeepFs, "m").Cache.Disk!.Path, StringComparison.Ordinal);
    }

    [Fact]
    public void A_temporary_collection_keeps_the_kernel_from_refusing_writes()
    {
        var settings = Parse(MountStyle.ArvMount, "m --mount-tmp t --mount-home h");
        Assert.Equal((true, false), (settings.Site.IsReadOnly, settings.Fuse.IsReadOnly));
    }

    [Fact]
    public void Mount_table_is_read_with_its_escapes()
    {
        var entries = MountTable.Parse(
        [
            "36 35 98:0 / / rw,noatime master:1 - ext3 /dev/root rw",
            @"40 36 0:52 / /mnt/a\040b\134c rw,nosuid shared:2 - fuse.keepfs keepfs rw",
            "41 36 0:53 / /mnt/z rw - fuse something rw",
            "nonsense",
        ]);
        Assert.Equal([("/", false, 0), (@"/mnt/a b\c", true, 52), ("/mnt/z", true, 53)], entries.Select(entry => (entry.Path, entry.IsFuse, entry.DeviceMinor)));
    }

    [Fact]
    public void Statistics_show_the_whole_and_the_difference()
    {
        var time = new KeepFs.Testing.Volumes.ManualTime();
        var output = new StringWriter();
        var (put, seconds) = (1.0, 0.5);
        var statistics = new MountStatistics(
            () => [new StatisticsGroup("keepcalls", [("put", put), ("get", 2)]), new StatisticsGroup("fuseop:read", [("count", put), ("time", seconds, false)])], output, time);
        time.Advance(TimeSpan.FromSeconds(10));
        statistics.Write();
        (put, seconds) = (4, 0.75);
        time.Advance(TimeSpan.FromSeconds(2.5));
        statistics.Write();

        Assert.Equal(
            """
            crunchstat: keepcalls 1 put 2 get -- interval 10.0000 seconds 1 put 2 get
            crunchstat: fuseop:read 1 count 0.500000 time -- interval 10.0000 seconds 1 count 0.500000 time
            crunchstat: keepcalls 4 put 2 get -- interval 2.5000 seconds 3 put 0 get
            crunchstat: fuseop:read 4 count 0.750000 time -- interval 2.5000 seconds 3 count 0.250000 time

            """,
            output.ToString());
    }

    private static MountSettings Parse(MountStyle style, string line)
    {
        var options = new MountOptionSet(style);
        return options.Settings(options.CreateCommand().Parse(line.Split(' ')), _ => { });
    }

    private static bool IsDaemon(MountStyle style, string line, bool hasExec)
    {
        var options = new MountOptionSet(style);
        return options.IsDaemon(options.CreateCommand().Parse(line.Split(' ')), hasExec);
    }
}
