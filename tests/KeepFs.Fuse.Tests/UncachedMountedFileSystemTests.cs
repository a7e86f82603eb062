using KeepFs.Testing;

namespace KeepFs.Fuse.Tests;

/// <summary>The contract through the kernel for nodes that it must not cache: direct I/O, no timeouts.</summary>
public sealed class UncachedMountedFileSystemTests(UncachedMountedFileSystemTests.Mount mount)
    : FileSystemContract, IClassFixture<UncachedMountedFileSystemTests.Mount>
{
    protected override Task<IFileOps> OpenFileSystemAsync() => Task.FromResult<IFileOps>(new PathFileOps(mount.Host.MountPoint));

    public sealed class Mount : IAsyncLifetime
    {
        internal MountHostProcess Host { get; private set; } = null!;

        public async Task InitializeAsync() => Host = await MountHostProcess.StartAsync("--uncached");

        public async Task DisposeAsync() => await Host.DisposeAsync();
    }
}
