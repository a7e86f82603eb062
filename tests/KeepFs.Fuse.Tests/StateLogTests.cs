using KeepFs.Fuse.Takeover;
using Microsoft.Win32.SafeHandles;

namespace KeepFs.Fuse.Tests;

public sealed class StateLogTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("keepfs-state-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void What_one_process_logged_the_next_one_knows()
    {
        var log = Open(out var fresh);
        Assert.Equal(0UL, fresh.FirstNumber);
        log.Named(10, 1, "dir");
        log.Named(11, 10, "file");
        log.NamedAgain(11);
        log.Named(12, 10, "gone");
        log.Forgotten(12, 1);
        log.Named(13, 10, "removed");
        log.Removed(10, "removed");
        log.Named(14, 10, "from");
        log.Named(15, 1, "to");
        log.Renamed(10, "from", 1, "to");
        log.Opened(100, new StateHandle(11, 2, 7));
        log.Opened(101, new StateHandle(10, StateHandle.DirectoryFlags, 0));
        log.Opened(102, new StateHandle(11, 0, StateHandle.Uncounted));
        log.Closed(101);

        for (ushort epoch = 1; epoch <= 3; epoch++)
        {
            // Again and again: what is compacted is read like what was logged.
            _ = Open(out var state);
            Assert.Equal((ulong)epoch << 48, state.FirstNumber);
            Assert.Equal(
                new Dictionary<ulong, StateNode>
                {
                    [10] = new(1, "dir", 1),
                    [11] = new(10, "file", 2),
                    [13] = new(state.Nodes[13].Parent, null, 1),
                    [14] = new(1, "to", 1),
                    [15] = new(state.Nodes[15].Parent, null, 1),
                },
                state.Nodes);
            Assert.Equal([10UL, 11UL, 14UL], state.Names.Values.Order());
            Assert.Equal(
                new Dictionary<ulong, StateHandle> { [100] = new(11, 2, 7), [102] = new(11, 0, StateHandle.Uncounted) }, state.Handles);
        }
    }

    [Fact]
    public void Record_cut_off_anywhere_loses_nothing_before_it()
    {
        var log = Open(out _);
        log.Named(10, 1, "first");
        var whole = CurrentLength();
        log.Renamed(1, "first", 1, "a name that is longer");
        var end = CurrentLength();

        for (var length = end - 1; length >= whole; length--)
        {
            using (var file = System.IO.File.OpenHandle(Current(), FileMode.Open, FileAccess.Write))
            {
                RandomAccess.SetLength(file, length);
            }

            var copy = new StateLogTests();
            foreach (var path in Directory.EnumerateFiles(_folder))
            {
                System.IO.File.Copy(path, Path.Combine(copy._folder, Path.GetFileName(path)));
            }

            _ = copy.Open(out var state);
            Assert.Equal(new StateNode(1, "first", 1), Assert.Single(state.Nodes).Value);
            copy.Dispose();
        }
    }

    [Fact]
    public void Log_does_not_grow_with_what_is_forgotten()
    {
        var log = Open(out _);
        log.Named(1000, 1, "stays");
        for (ulong i = 0; i < 300_000; i++)
        {
            log.Named(i + 2000, 1, $"some name or other {i}");
            log.Forgotten(i + 2000, 1);
        }

        Assert.True(CurrentLength() < 6 << 20);
        _ = Open(out var state);
        Assert.Equal("stays", Assert.Single(state.Nodes).Value.Name);
    }

    private StateLog Open(out MountState state) => StateLog.Open(File("a"), File("b"), out state);

    private SafeFileHandle File(string name) =>
        System.IO.File.OpenHandle(Path.Combine(_folder, name), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);

    private string Current() => Directory.EnumerateFiles(_folder).MaxBy(path => new FileInfo(path).Length)!;

    private long CurrentLength() => new FileInfo(Current()).Length;
}
