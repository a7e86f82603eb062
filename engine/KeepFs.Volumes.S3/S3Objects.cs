using System.Net;
using System.Runtime.CompilerServices;
using System.Text;
using Amazon.S3;
using Amazon.S3.Model;
using KeepFs.Engine.Volumes.Gateway;

namespace KeepFs.Volumes.S3;

/// <summary>The objects of a bucket that is not Keep's, for a gateway: only read and listed. Safe for concurrent use.</summary>
public sealed class S3Objects(S3ConnectionOptions options) : IObjectSource
{
    /// <summary>What every service allows.</summary>
    private const int PageSize = 1000;
    private readonly IAmazonS3 _client = S3Clients.Create(options);

    /// <inheritdoc/>
    public string DeviceId => options.DeviceId;

    /// <inheritdoc/>
    public async ValueTask<IObjectReader?> OpenAsync(ObjectKey key, long offset, long length, CancellationToken cancellationToken)
    {
        if (TextOf(key) is not { } name || offset > long.MaxValue - length)
        {
            return null;
        }

        if (length == 0)
        {
            // No range is empty, so there is nothing to ask for.
            return await StatAsync(key, cancellationToken) is { } item && item.SizeBytes >= offset ? new Reader(item, null, this) : null;
        }

        var response = await AskAsync(
            () => _client.GetObjectAsync(new GetObjectRequest { BucketName = options.Bucket, Key = name, ByteRange = new ByteRange(offset, offset + length - 1) }, cancellationToken),
            name,
            cancellationToken);
        if (response is null)
        {
            return null;
        }

        if (response.ContentLength != length)
        {
            // Shorter than the range, or a service that does not know ranges.
            response.Dispose();
            return null;
        }

        var total = response.ContentRange?.Split('/') is [_, var text] && long.TryParse(text, out var size) ? size : offset + length;
        return new Reader(Describe(key, total, response.ETag, response.LastModified), response, this);
    }

    /// <inheritdoc/>
    public async ValueTask<ObjectInfo?> StatAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (TextOf(key) is not { } name)
        {
            return null;
        }

        var head = await AskAsync(
            () => _client.GetObjectMetadataAsync(new GetObjectMetadataRequest { BucketName = options.Bucket, Key = name }, cancellationToken), name, cancellationToken);
        return head is null ? null : Describe(key, head.ContentLength, head.ETag, head.LastModified);
    }

    /// <summary>Every object whose key starts with the prefix, page by page.</summary>
    /// <exception cref="ObjectUnavailableException">The listing cannot go on.</exception>
    public async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? next = null;
        do
        {
            var request = new ListObjectsV2Request { BucketName = options.Bucket, Prefix = prefix, ContinuationToken = next, MaxKeys = PageSize };
            var page = await AskAsync(() => _client.ListObjectsV2Async(request, cancellationToken), prefix, cancellationToken)
                ?? throw new ObjectUnavailableException($"{DeviceId}: there is no such bucket");
            foreach (var item in page.S3Objects ?? [])
            {
                yield return Describe(new ObjectKey(item.Key), item.Size ?? 0, item.ETag, item.LastModified);
            }

            next = page.IsTruncated == true ? page.NextContinuationToken : null;
        }
        while (next is not null);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return default;
    }

    /// <summary>Null: it is not there, or ends before the range.</summary>
    private async ValueTask<T?> AskAsync<T>(Func<Task<T>> request, string key, CancellationToken cancellationToken)
        where T : class
    {
        try
        {
            return await request();
        }
        catch (AmazonS3Exception e) when (S3Failure.IsAbsent(e) || e.StatusCode is HttpStatusCode.Gone or HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            return null;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            throw Unavailable(key, e);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw new OperationCanceledException("The request was cancelled.", e, cancellationToken);
        }
    }

    private ObjectUnavailableException Unavailable(string key, Exception e) => new($"{DeviceId}: {key}: {S3Failure.Of(e, isLate: false).Message}", e);

    // Seconds, and only those: listings and headers differ in how exact they are.
    private static ObjectInfo Describe(ObjectKey key, long size, string? etag, DateTime? modified) =>
        new(key, size, Tag(etag), modified is { } time ? new DateTimeOffset(time.ToUniversalTime()).ToUnixTimeSeconds() : 0);

    private static string Tag(string? etag) => etag is { Length: > 0 } ? string.Concat(etag.Where(c => c is > ' ' and < '\x7f')) : "-";

    private static string? TextOf(ObjectKey key)
    {
        var text = key.ToString();
        return Encoding.UTF8.GetByteCount(text) == key.Bytes.Length && Encoding.UTF8.GetBytes(text).AsSpan().SequenceEqual(key.Bytes) ? text : null;
    }

    private sealed class Reader(ObjectInfo item, GetObjectResponse? response, S3Objects source) : IObjectReader
    {
        public ObjectInfo Info => item;

        public async ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken)
        {
            try
            {
                return response is null ? 0 : await response.ResponseStream.ReadAsync(destination, cancellationToken);
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                throw source.Unavailable(item.Key.ToString(), e);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                throw new OperationCanceledException("The request was cancelled.", e, cancellationToken);
            }
        }

        public ValueTask DisposeAsync()
        {
            response?.Dispose();
            return default;
        }
    }
}
