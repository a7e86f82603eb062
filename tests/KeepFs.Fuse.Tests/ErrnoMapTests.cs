using KeepFs.Engine.Blocks;
using KeepFs.Engine.FileSystems;
using KeepFs.Fuse.Interop;

namespace KeepFs.Fuse.Tests;

public sealed class ErrnoMapTests
{
    [Fact]
    public void Each_error_of_the_tree_has_an_errno_of_its_own()
    {
        var all = Enum.GetValues<FsError>();

        Assert.Equal(all.Length, all.Select(ErrnoMap.From).Distinct().Count());
        Assert.Equal(FsError.InputOutput, Assert.Single(all, error => ErrnoMap.From(error) == Errno.EIO));
    }

    [Theory]
    [InlineData(KeepErrorKind.Full, Errno.ENOSPC)]
    [InlineData(KeepErrorKind.PermissionDenied, Errno.EACCES)]
    [InlineData(KeepErrorKind.NotFound, Errno.EIO)]
    [InlineData(KeepErrorKind.Corrupt, Errno.EIO)]
    public void Error_of_keep_is_logged(KeepErrorKind kind, int errno)
    {
        var log = new List<string>();

        Assert.Equal(errno, ErrnoMap.From(new KeepException(kind, "block xyz"), "Read", log.Add));

        Assert.Contains("block xyz", Assert.Single(log), StringComparison.Ordinal);
    }

    [Fact]
    public void Expected_error_is_not_logged_and_an_unknown_one_is()
    {
        var log = new List<string>();

        Assert.Equal(Errno.ENOENT, ErrnoMap.From(new FsException(FsError.NotFound, "f"), "Lookup", log.Add));
        Assert.Empty(log);

        Assert.Equal(Errno.EIO, ErrnoMap.From(new InvalidOperationException("bug"), "Lookup", log.Add));
        Assert.Contains("bug", Assert.Single(log), StringComparison.Ordinal);
    }
}
