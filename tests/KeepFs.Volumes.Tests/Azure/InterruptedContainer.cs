using KeepFs.Volumes.Azure;

namespace KeepFs.Volumes.Tests.Azure;

/// <summary>A container that lets something else happen just before the first operation of a kind; otherwise the one inside.</summary>
internal sealed class InterruptedContainer(IContainer inner, string before, Func<Task> work) : IContainer
{
    private Func<Task>? _work = work;

    public ValueTask<Blob?> GetPropertiesAsync(string name, CancellationToken cancellationToken) => inner.GetPropertiesAsync(name, cancellationToken);

    public ValueTask<Blob?> GetAsync(string name, Func<Blob, Stream, CancellationToken, ValueTask<long>> receive, CancellationToken cancellationToken) =>
        inner.GetAsync(name, receive, cancellationToken);

    public ValueTask<bool> GetRangeAsync(Blob blob, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        inner.GetRangeAsync(blob, offset, destination, cancellationToken);

    public ValueTask PutAsync(string name, ReadOnlyMemory<byte> data, string md5Base64, CancellationToken cancellationToken) =>
        inner.PutAsync(name, data, md5Base64, cancellationToken);

    public async ValueTask<bool> SetMetadataAsync(Blob blob, IReadOnlyDictionary<string, string> metadata, CancellationToken cancellationToken)
    {
        await InterruptAsync("set_metadata");
        return await inner.SetMetadataAsync(blob, metadata, cancellationToken);
    }

    public async ValueTask<bool> DeleteAsync(Blob blob, CancellationToken cancellationToken)
    {
        await InterruptAsync("delete");
        return await inner.DeleteAsync(blob, cancellationToken);
    }

    public ValueTask<ContainerPage> ListAsync(string prefix, string? marker, CancellationToken cancellationToken) => inner.ListAsync(prefix, marker, cancellationToken);

    public void Dispose() => inner.Dispose();

    private async Task InterruptAsync(string operation)
    {
        if (operation == before && Interlocked.Exchange(ref _work, null) is { } now)
        {
            await now();
        }
    }
}
