using KeepFs.Volumes.S3;

namespace KeepFs.Volumes.Tests.S3;

/// <summary>A bucket that lets something else happen just before the first operation of a kind on a key; otherwise the one inside.</summary>
internal sealed class InterruptedBucket(IBucket inner, string before, Func<Task> work) : IBucket
{
    private Func<Task>? _work = work;

    public async ValueTask<StoredObject?> HeadAsync(string key, CancellationToken cancellationToken)
    {
        await InterruptAsync($"head {key}");
        return await inner.HeadAsync(key, cancellationToken);
    }

    public ValueTask<StoredObject?> GetAsync(
        string key, long offset, long length, string? etag, Func<StoredObject, Stream, CancellationToken, ValueTask<long>> receive, CancellationToken cancellationToken) =>
        inner.GetAsync(key, offset, length, etag, receive, cancellationToken);

    public ValueTask PutAsync(string key, ReadOnlyMemory<byte> data, string md5Base64, CancellationToken cancellationToken) =>
        inner.PutAsync(key, data, md5Base64, cancellationToken);

    public async ValueTask<DateTimeOffset?> CopyAsync(string from, string to, CancellationToken cancellationToken)
    {
        await InterruptAsync($"copy {from}");
        return await inner.CopyAsync(from, to, cancellationToken);
    }

    public async ValueTask DeleteAsync(string key, CancellationToken cancellationToken)
    {
        await InterruptAsync($"delete {key}");
        await inner.DeleteAsync(key, cancellationToken);
    }

    public ValueTask<BucketPage> ListAsync(string prefix, string? continuation, CancellationToken cancellationToken) =>
        inner.ListAsync(prefix, continuation, cancellationToken);

    public void Dispose() => inner.Dispose();

    private async Task InterruptAsync(string operation)
    {
        if (operation == before && Interlocked.Exchange(ref _work, null) is { } now)
        {
            await now();
        }
    }
}
