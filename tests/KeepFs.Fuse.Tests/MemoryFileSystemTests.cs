using KeepFs.Testing;

namespace KeepFs.Fuse.Tests;

/// <summary>The contract on the memory tree itself, so that a failure through the mount is one of the mount.</summary>
public sealed class MemoryFileSystemTests : FileSystemContract, IAsyncDisposable
{
    private MemoryFileSystem? _tree;

    protected override Task<IFileOps> OpenFileSystemAsync()
    {
        _tree = new MemoryFileSystem(TimeProvider.System);
        return Task.FromResult<IFileOps>(new NodeFileOps(_tree));
    }

    protected override Task CloseFileSystemAsync()
    {
        Assert.Equal(0, _tree!.OpenHandles);
        return Task.CompletedTask;
    }

    ValueTask IAsyncDisposable.DisposeAsync() => _tree?.DisposeAsync() ?? ValueTask.CompletedTask;
}
