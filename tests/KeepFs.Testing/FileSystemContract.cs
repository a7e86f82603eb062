using KeepFs.Engine.FileSystems;

namespace KeepFs.Testing;

/// <summary>
/// What every writable tree must do, by the documentation of the seam and POSIX, run on trees directly and through real fronts. A
/// subclass hands over the operations and, if the root is not writable itself, the path of a directory that is. Each test works in a
/// directory of its own, so one file system may serve them all.
/// </summary>
public abstract partial class FileSystemContract : IAsyncLifetime
{
    /// <summary>What the tests act on, valid after <see cref="OpenFileSystemAsync"/>.</summary>
    protected IFileOps Ops { get; private set; } = null!;

    /// <summary>A writable directory, "" for the root; read after <see cref="OpenFileSystemAsync"/>.</summary>
    protected virtual string WritableDirectory => string.Empty;

    /// <summary>The clock that the file system uses.</summary>
    protected virtual TimeProvider Clock => TimeProvider.System;

    /// <summary>The directory of this test.</summary>
    protected string Here { get; private set; } = string.Empty;

    /// <inheritdoc/>
    public async Task InitializeAsync()
    {
        Ops = await OpenFileSystemAsync();
        var name = $"test {Guid.NewGuid():N}";
        Here = WritableDirectory.Length == 0 ? name : $"{WritableDirectory}/{name}";
        await Ops.CreateDirectoryAsync(Here);
    }

    /// <inheritdoc/>
    public async Task DisposeAsync() => await CloseFileSystemAsync();

    /// <summary>Starts or reuses a file system.</summary>
    protected abstract Task<IFileOps> OpenFileSystemAsync();

    /// <summary>Ends it, or leaves it for the next test; the place to assert that nothing is left open.</summary>
    protected virtual Task CloseFileSystemAsync() => Task.CompletedTask;

    /// <summary>A path in the directory of this test.</summary>
    protected string At(string path) => $"{Here}/{path}";

    /// <summary>Creates a file with this content.</summary>
    protected async Task PutAsync(string path, byte[] content)
    {
        await Ops.CreateFileAsync(At(path));
        await using var file = await Ops.OpenAsync(At(path), FileAccess.Write);
        await file.WriteAsync(0, content);
    }

    /// <summary>The whole content of a file, read to its end.</summary>
    protected async Task<byte[]> GetAsync(string path)
    {
        await using var file = await Ops.OpenAsync(At(path), FileAccess.Read);
        return await file.ReadAsync(0, (int)await SizeOfAsync(path) + 1);
    }

    /// <summary>The size of a file that must exist.</summary>
    protected async Task<long> SizeOfAsync(string path)
    {
        var stat = await Ops.StatAsync(At(path));
        Assert.NotNull(stat);
        return stat.SizeBytes;
    }

    /// <summary>Asserts that the call fails with this error.</summary>
    protected static async Task FailsAsync(FsError error, Func<Task> call)
    {
        var exception = await Assert.ThrowsAsync<FsException>(call);
        Assert.Equal(error, exception.Error);
    }

    /// <summary>The pieces in a row.</summary>
    protected static byte[] Join(params byte[][] pieces) => [.. pieces.SelectMany(piece => piece)];

    /// <summary>Bytes that differ at each position and for each seed.</summary>
    protected static byte[] Bytes(int length, int seed = 1)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
