using System.Collections.Concurrent;
using KeepFs.Volumes.Azure;

namespace KeepFs.Volumes.Tests.Azure;

/// <summary>
/// A real container whose blobs seem to have been written at the times of a test's clock. Every request is really made; only the
/// Last-Modified of what was written through here is replaced, in whole seconds like the real one.
/// </summary>
internal sealed class ClockedContainer(IContainer real, TimeProvider time) : IContainer
{
    private readonly ConcurrentDictionary<string, DateTimeOffset> _times = new();

    public async ValueTask<Blob?> GetPropertiesAsync(string name, CancellationToken cancellationToken) =>
        await real.GetPropertiesAsync(name, cancellationToken) is { } blob ? Seen(blob) : null;

    public async ValueTask<Blob?> GetAsync(string name, Func<Blob, Stream, CancellationToken, ValueTask<long>> receive, CancellationToken cancellationToken) =>
        await real.GetAsync(name, (blob, bytes, token) => receive(Seen(blob), bytes, token), cancellationToken) is { } blob ? Seen(blob) : null;

    public ValueTask<bool> GetRangeAsync(Blob blob, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        real.GetRangeAsync(blob, offset, destination, cancellationToken);

    public async ValueTask PutAsync(string name, ReadOnlyMemory<byte> data, string md5Base64, CancellationToken cancellationToken)
    {
        await real.PutAsync(name, data, md5Base64, cancellationToken);
        _times[name] = WholeSeconds(time.GetUtcNow());
    }

    public async ValueTask<bool> SetMetadataAsync(Blob blob, IReadOnlyDictionary<string, string> metadata, CancellationToken cancellationToken)
    {
        var isSet = await real.SetMetadataAsync(blob, metadata, cancellationToken);
        if (isSet)
        {
            _times[blob.Name] = WholeSeconds(time.GetUtcNow());
        }

        return isSet;
    }

    public ValueTask<bool> DeleteAsync(Blob blob, CancellationToken cancellationToken) => real.DeleteAsync(blob, cancellationToken);

    public async ValueTask<ContainerPage> ListAsync(string prefix, string? marker, CancellationToken cancellationToken)
    {
        var page = await real.ListAsync(prefix, marker, cancellationToken);
        return page with { Blobs = [.. page.Blobs.Select(Seen)] };
    }

    public void Dispose() => real.Dispose();

    private Blob Seen(Blob blob)
    {
        Assert.InRange(blob.LastModified, DateTimeOffset.UtcNow.AddMinutes(-10), DateTimeOffset.UtcNow.AddMinutes(1));
        return _times.TryGetValue(blob.Name, out var at) ? blob with { LastModified = at } : blob;
    }

    private static DateTimeOffset WholeSeconds(DateTimeOffset at) => DateTimeOffset.FromUnixTimeSeconds(at.ToUnixTimeSeconds());
}
