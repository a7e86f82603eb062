using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Amazon.S3;
using Amazon.S3.Model;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Volumes;

namespace KeepFs.Volumes.S3;

/// <summary>A real bucket.</summary>
internal sealed class RemoteBucket(S3ConnectionOptions options, int pageSize, TimeProvider time, IVolumeTraffic? traffic) : IBucket
{
    private readonly IAmazonS3 _client = S3Clients.Create(options);

    // Over HTTPS the connection proves that the body is ours; over HTTP the signature must.
    private readonly bool _signsPayload = options.Endpoint.StartsWith("http://", StringComparison.OrdinalIgnoreCase);

    public ValueTask<StoredObject?> HeadAsync(string key, CancellationToken cancellationToken) => OrAbsentAsync(RunAsync("head", key, async token =>
    {
        var head = await _client.GetObjectMetadataAsync(new GetObjectMetadataRequest { BucketName = options.Bucket, Key = key }, token);
        return (StoredObject?)new StoredObject(key, head.ContentLength, Utc(head.LastModified), head.ETag);
    }, cancellationToken));

    // Always a range: of a whole object the SDK computes the MD5 once more, and fails on ETags that are none.
    public ValueTask<StoredObject?> GetAsync(
        string key, long offset, long length, string? etag, Func<StoredObject, Stream, CancellationToken, ValueTask<long>> receive, CancellationToken cancellationToken) =>
        OrAbsentAsync(RunAsync("get", key, async token =>
        {
            using var response = await OpenAsync(key, new ByteRange(offset, offset + length - 1), etag, token);
            if (response is null)
            {
                // Nothing to take a range of.
                return await HeadAsync(key, token) is { SizeBytes: 0 } empty && await receive(empty, Stream.Null, token) == 0
                    ? (StoredObject?)empty
                    : throw new InvalidDataException($"the range from {offset} was refused");
            }

            var total = ContentRangeHeaderValue.TryParse(response.ContentRange, out var range) ? range.Length : response.ContentLength;
            var found = new StoredObject(key, total ?? throw new InvalidDataException("the answer does not tell the size"), Utc(response.LastModified), response.ETag);
            var taken = await receive(found, response.ResponseStream, token);
            traffic?.Received(taken);
            return (StoredObject?)found;
        }, cancellationToken));

    public async ValueTask PutAsync(string key, ReadOnlyMemory<byte> data, string md5Base64, CancellationToken cancellationToken)
    {
        using var body = new LentMemoryStream(data);
        await RunAsync("put", key, async token =>
        {
            await _client.PutObjectAsync(new PutObjectRequest
            {
                BucketName = options.Bucket,
                Key = key,
                InputStream = body,
                AutoCloseStream = false,
                MD5Digest = md5Base64,
                UseChunkEncoding = false,
                DisablePayloadSigning = !_signsPayload,
            }, token);
            return true;
        }, cancellationToken);
        traffic?.Sent(data.Length);
    }

    public ValueTask<DateTimeOffset?> CopyAsync(string from, string to, CancellationToken cancellationToken) => OrAbsentAsync(RunAsync("put", to, async token =>
    {
        var copy = await _client.CopyObjectAsync(new CopyObjectRequest
        {
            SourceBucket = options.Bucket,
            SourceKey = from,
            DestinationBucket = options.Bucket,
            DestinationKey = to,
        }, token);
        return (DateTimeOffset?)DateTimeOffset.Parse(copy.LastModified, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
    }, cancellationToken));

    public async ValueTask DeleteAsync(string key, CancellationToken cancellationToken) => await RunAsync("delete", key, async token =>
    {
        await _client.DeleteObjectAsync(new DeleteObjectRequest { BucketName = options.Bucket, Key = key }, token);
        return true;
    }, cancellationToken);

    public ValueTask<BucketPage> ListAsync(string prefix, string? continuation, CancellationToken cancellationToken) => RunAsync("list", prefix, async token =>
    {
        var page = await _client.ListObjectsV2Async(new ListObjectsV2Request
        {
            BucketName = options.Bucket,
            Prefix = prefix,
            ContinuationToken = continuation,
            MaxKeys = pageSize,
        }, token);
        var objects = page.S3Objects?.ConvertAll(item => new StoredObject(item.Key, item.Size ?? 0, Utc(item.LastModified), item.ETag)) ?? [];
        return new BucketPage(objects, page.IsTruncated == true ? page.NextContinuationToken : null);
    }, cancellationToken);

    public void Dispose() => _client.Dispose();

    private async Task<GetObjectResponse?> OpenAsync(string key, ByteRange range, string? etag, CancellationToken cancellationToken)
    {
        try
        {
            return await _client.GetObjectAsync(
                new GetObjectRequest { BucketName = options.Bucket, Key = key, ByteRange = range, EtagToMatch = etag }, cancellationToken);
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            return null;
        }
    }

    private static DateTimeOffset Utc(DateTime? time) => new(time?.ToUniversalTime() ?? throw new InvalidDataException("the answer has no Last-Modified"));

    /// <summary>A request that found nothing ends with an exception of the SDK, which says so.</summary>
    private static async ValueTask<T?> OrAbsentAsync<T>(ValueTask<T?> request)
        where T : struct
    {
        try
        {
            return await request;
        }
        catch (AmazonS3Exception e) when (S3Failure.IsAbsent(e))
        {
            return null;
        }
    }

    private async ValueTask<T> RunAsync<T>(string operation, string key, Func<CancellationToken, Task<T>> request, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        traffic?.Began(operation);
        using var limit = new CancellationTokenSource(options.ReadTimeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            return await request(both.Token);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && !(e is AmazonS3Exception absent && S3Failure.IsAbsent(absent)))
        {
            var failure = S3Failure.Of(e, limit.IsCancellationRequested);
            traffic?.Failed(failure.Type);
            throw new KeepException(failure.Kind, $"{options.DeviceId}: {operation} {key}: {failure.Message}", e);
        }
        catch (Exception e) when (cancellationToken.IsCancellationRequested && e is not OperationCanceledException)
        {
            throw new OperationCanceledException("The request was cancelled.", e, cancellationToken);
        }
    }
}
