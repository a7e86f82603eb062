using KeepFs.Testing;

namespace KeepFs.Fuse.Tests;

/// <summary>The contract through the kernel, with its caches on.</summary>
public sealed class MountedFileSystemTests(MountedFileSystemTests.Mount mount) : FileSystemContract, IClassFixture<MountedFileSystemTests.Mount>
{
    protected override Task<IFileOps> OpenFileSystemAsync() => Task.FromResult<IFileOps>(new PathFileOps(mount.Host.MountPoint));

    public sealed class Mount : IAsyncLifetime
    {
        internal MountHostProcess Host { get; private set; } = null!;

        public async Task InitializeAsync() => Host = await MountHostProcess.StartAsync();

        public async Task DisposeAsync() => await Host.DisposeAsync();
    }
}
