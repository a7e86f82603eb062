using System.Collections.Concurrent;
using KeepFs.Volumes.S3;

namespace KeepFs.Volumes.Tests.S3;

/// <summary>
/// A real bucket whose objects seem to have been written at the times of a test's clock. Every request is really made; only the
/// Last-Modified of what was written through here is replaced, in whole seconds like the real one.
/// </summary>
internal sealed class ClockedBucket(IBucket real, TimeProvider time) : IBucket
{
    private readonly ConcurrentDictionary<string, DateTimeOffset> _times = new();

    /// <summary>Makes an object that is there seem older or younger.</summary>
    public void SetAge(string key, TimeSpan age) => _times[key] = WholeSeconds(time.GetUtcNow() - age);

    public async ValueTask<StoredObject?> HeadAsync(string key, CancellationToken cancellationToken) =>
        await real.HeadAsync(key, cancellationToken) is { } found ? Seen(found) : null;

    public async ValueTask<StoredObject?> GetAsync(
        string key, long offset, long length, string? etag, Func<StoredObject, Stream, CancellationToken, ValueTask<long>> receive, CancellationToken cancellationToken) =>
        await real.GetAsync(key, offset, length, etag, receive, cancellationToken) is { } found ? Seen(found) : null;

    public async ValueTask PutAsync(string key, ReadOnlyMemory<byte> data, string md5Base64, CancellationToken cancellationToken)
    {
        await real.PutAsync(key, data, md5Base64, cancellationToken);
        _times[key] = WholeSeconds(time.GetUtcNow());
    }

    public async ValueTask<DateTimeOffset?> CopyAsync(string from, string to, CancellationToken cancellationToken)
    {
        if (await real.CopyAsync(from, to, cancellationToken) is not { } copied)
        {
            return null;
        }

        Assert.InRange(copied, DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow.AddMinutes(1));
        return _times[to] = WholeSeconds(time.GetUtcNow());
    }

    public ValueTask DeleteAsync(string key, CancellationToken cancellationToken) => real.DeleteAsync(key, cancellationToken);

    public async ValueTask<BucketPage> ListAsync(string prefix, string? continuation, CancellationToken cancellationToken)
    {
        var page = await real.ListAsync(prefix, continuation, cancellationToken);
        return page with { Objects = [.. page.Objects.Select(Seen)] };
    }

    public void Dispose() => real.Dispose();

    private StoredObject Seen(StoredObject found)
    {
        Assert.InRange(found.LastModified, DateTimeOffset.UtcNow.AddMinutes(-10), DateTimeOffset.UtcNow.AddMinutes(1));
        return _times.TryGetValue(found.Key, out var at) ? found with { LastModified = at } : found;
    }

    private static DateTimeOffset WholeSeconds(DateTimeOffset at) => DateTimeOffset.FromUnixTimeSeconds(at.ToUnixTimeSeconds());
}
