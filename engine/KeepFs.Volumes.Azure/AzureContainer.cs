using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Volumes;

namespace KeepFs.Volumes.Azure;

/// <summary>A real container, over HTTP.</summary>
internal sealed class AzureContainer : IContainer
{
    private const string MetadataPrefix = "x-ms-meta-";

    // So that a change of the service's address is noticed; connections are cheap beside blocks.
    private static readonly TimeSpan ConnectionLifetime = TimeSpan.FromMinutes(5);

    private readonly AzureVolumeOptions _options;
    private readonly IVolumeTraffic? _traffic;
    private readonly SharedKey _key;
    private readonly HttpClient _client;

    public AzureContainer(AzureVolumeOptions options, IVolumeTraffic? traffic)
    {
        (_options, _traffic) = (options, traffic);

        // The service compares the date with its own clock, so not the clock of mtimes, which is the tests' to turn.
        _key = new SharedKey(options.StorageAccountName, options.StorageAccountKey, TimeProvider.System);
        _client = new HttpClient(new SocketsHttpHandler { PooledConnectionLifetime = ConnectionLifetime, ConnectTimeout = options.RequestTimeout })
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    public ValueTask<Blob?> GetPropertiesAsync(string name, CancellationToken cancellationToken) =>
        SendAsync("get_properties", name, () => new HttpRequestMessage(HttpMethod.Head, Url(name)), (response, _) => new ValueTask<Blob?>(BlobOf(name, response)), cancellationToken);

    public ValueTask<Blob?> GetAsync(string name, Func<Blob, Stream, CancellationToken, ValueTask<long>> receive, CancellationToken cancellationToken) =>
        SendAsync("get", name, () => new HttpRequestMessage(HttpMethod.Get, Url(name)), async (response, token) =>
        {
            var blob = BlobOf(name, response);
            await using var bytes = await response.Content.ReadAsStreamAsync(token);
            var taken = await receive(blob, bytes, token);
            _traffic?.Received(taken);
            return (Blob?)blob;
        }, cancellationToken);

    public ValueTask<bool> GetRangeAsync(Blob blob, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        SendAsync("get_range", blob.Name, () =>
        {
            var request = OfVersion(blob, HttpMethod.Get, Url(blob.Name));
            request.Headers.Range = new RangeHeaderValue(offset, offset + destination.Length - 1);
            return request;
        }, async (response, token) =>
        {
            if (response.StatusCode != HttpStatusCode.PartialContent)
            {
                throw new InvalidDataException($"a range was asked for, and the answer is {(int)response.StatusCode}");
            }

            await using var bytes = await response.Content.ReadAsStreamAsync(token);
            await bytes.ReadExactlyAsync(destination, token);
            _traffic?.Received(destination.Length);
            return true;
        }, cancellationToken);

    public async ValueTask PutAsync(string name, ReadOnlyMemory<byte> data, string md5Base64, CancellationToken cancellationToken)
    {
        using var body = new LentMemoryStream(data);
        var isStored = await SendAsync("create", name, () =>
        {
            var request = new HttpRequestMessage(HttpMethod.Put, Url(name)) { Content = new StreamContent(body) };
            request.Content.Headers.ContentLength = data.Length;
            request.Content.Headers.ContentMD5 = Convert.FromBase64String(md5Base64);
            request.Headers.TryAddWithoutValidation("x-ms-blob-type", "BlockBlob");
            return request;
        }, (_, _) => new ValueTask<bool>(true), cancellationToken);
        if (!isStored)
        {
            throw new KeepException(KeepErrorKind.Unavailable, $"{_options.DeviceId}: create {name}: refused as not found or as a conflict.");
        }

        _traffic?.Sent(data.Length);
    }

    public ValueTask<bool> SetMetadataAsync(Blob blob, IReadOnlyDictionary<string, string> metadata, CancellationToken cancellationToken) =>
        SendAsync("set_metadata", blob.Name, () =>
        {
            var request = OfVersion(blob, HttpMethod.Put, Url(blob.Name, "comp=metadata"));
            request.Content = new ByteArrayContent([]);
            foreach (var (name, value) in metadata)
            {
                request.Headers.TryAddWithoutValidation(MetadataPrefix + name, value);
            }

            return request;
        }, (_, _) => new ValueTask<bool>(true), cancellationToken);

    public ValueTask<bool> DeleteAsync(Blob blob, CancellationToken cancellationToken) =>
        SendAsync("delete", blob.Name, () => OfVersion(blob, HttpMethod.Delete, Url(blob.Name)), (_, _) => new ValueTask<bool>(true), cancellationToken);

    public async ValueTask<ContainerPage> ListAsync(string prefix, string? marker, CancellationToken cancellationToken)
    {
        var query = $"restype=container&comp=list&include=metadata&maxresults={_options.PageSize}"
            + (prefix.Length > 0 ? $"&prefix={Uri.EscapeDataString(prefix)}" : "")
            + (marker is null ? "" : $"&marker={Uri.EscapeDataString(marker)}");
        return await SendAsync("list", prefix, () => new HttpRequestMessage(HttpMethod.Get, Url("", query)), async (response, token) =>
        {
            await using var bytes = await response.Content.ReadAsStreamAsync(token);
            return (ContainerPage?)await BlobListing.ReadAsync(bytes, token);
        }, cancellationToken) ?? throw new KeepException(KeepErrorKind.Unavailable, $"{_options.DeviceId}: list {prefix}: not found.");
    }

    public void Dispose() => _client.Dispose();

    private string Url(string name, string query = "") =>
        _options.ContainerUrl + (name.Length > 0 ? "/" + Uri.EscapeDataString(name) : "") + (query.Length > 0 ? "?" + query : "");

    private static HttpRequestMessage OfVersion(Blob blob, HttpMethod method, string url)
    {
        var request = new HttpRequestMessage(method, url);
        request.Headers.IfMatch.Add(EntityTagHeaderValue.Parse(blob.ETag));
        return request;
    }

    private static Blob BlobOf(string name, HttpResponseMessage response) => new(
        name,
        response.Content.Headers.ContentLength ?? throw new InvalidDataException("the answer has no Content-Length"),
        response.Content.Headers.LastModified ?? throw new InvalidDataException("the answer has no Last-Modified"),
        response.Headers.ETag?.ToString() ?? throw new InvalidDataException("the answer has no ETag"),
        response.Headers.Where(header => header.Key.StartsWith(MetadataPrefix, StringComparison.OrdinalIgnoreCase))
            .ToDictionary(header => header.Key[MetadataPrefix.Length..], header => string.Join(',', header.Value), StringComparer.OrdinalIgnoreCase));

    /// <summary>The default of T: the blob, or the version asked for, is not there.</summary>
    private async ValueTask<T?> SendAsync<T>(
        string operation, string name, Func<HttpRequestMessage> make, Func<HttpResponseMessage, CancellationToken, ValueTask<T>> receive, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        _traffic?.Began(operation);
        using var limit = new CancellationTokenSource(_options.RequestTimeout, _options.Trash.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        AzureFailure failure;
        Exception? cause = null;
        try
        {
            using var request = make();
            _key.Sign(request);
            using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, both.Token);
            if (response.IsSuccessStatusCode)
            {
                return await receive(response, both.Token);
            }

            var code = response.Headers.TryGetValues("x-ms-error-code", out var codes) ? codes.First() : "";
            if (AzureFailure.IsAbsent(response.StatusCode, code))
            {
                return default;
            }

            failure = AzureFailure.Of(response.StatusCode, code);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            (failure, cause) = (AzureFailure.Of(e, limit.IsCancellationRequested), e);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw new OperationCanceledException("The request was cancelled.", e, cancellationToken);
        }

        _traffic?.Failed(failure.Type);
        throw new AzureException(failure, string.Create(CultureInfo.InvariantCulture, $"{_options.DeviceId}: {operation} {name}: {failure.Message}"), cause);
    }
}
