using KeepFs.Testing;

namespace KeepFs.Fuse.Tests;

/// <summary>The contract through the kernel on a tree whose every call completes later, on another thread.</summary>
public sealed class AsyncMountedFileSystemTests(AsyncMountedFileSystemTests.Mount mount)
    : FileSystemContract, IClassFixture<AsyncMountedFileSystemTests.Mount>
{
    protected override Task<IFileOps> OpenFileSystemAsync() => Task.FromResult<IFileOps>(new PathFileOps(mount.Host.MountPoint));

    public sealed class Mount : IAsyncLifetime
    {
        internal MountHostProcess Host { get; private set; } = null!;

        public async Task InitializeAsync() => Host = await MountHostProcess.StartAsync("--async");

        public async Task DisposeAsync() => await Host.DisposeAsync();
    }
}
