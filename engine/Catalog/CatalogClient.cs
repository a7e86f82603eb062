using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace KeepFs.Engine.Catalog;

/// <summary>The catalogue over HTTP, as today's Arvados clients speak to it (catalog-api.md, python-clients.md).</summary>
/// <param name="http">Owned by the caller; its own timeout must be infinite.</param>
/// <param name="options">Address, token, retries.</param>
/// <param name="time">For delays and timeouts.</param>
/// <param name="random">Draws the delays.</param>
public sealed partial class CatalogClient(HttpClient http, CatalogClientOptions options, TimeProvider time, Random random) : ICatalog
{
    /// <summary>In a 423 of our catalogue: the path whose lock is in the way, percent-encoded.</summary>
    public const string DavLockHeader = "X-KeepFs-Locked";

    /// <summary>In a 422 of our catalogue: a quota is used up.</summary>
    public const string QuotaHeader = "X-KeepFs-Quota";

    /// <summary>Records that our catalogue takes in one <c>POST /keepfs/v1/logs</c>: bounds how long other writers wait for it.</summary>
    public const int MaxLogRecords = 1000;

    private static readonly MediaTypeHeaderValue Json = new("application/json");

    private Task<T?> GetOrNullAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class => SendAsync(HttpMethod.Get, path, null, type, notFoundIsNull: true, cancellationToken);

    private async Task<T> GetAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class => (await SendAsync(HttpMethod.Get, path, null, type, notFoundIsNull: false, cancellationToken))!;

    private async Task<T> WriteAsync<TBody, T>(
        HttpMethod method, string path, TBody body, JsonTypeInfo<TBody> bodyType, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class =>
        (await SendAsync(method, path, JsonSerializer.SerializeToUtf8Bytes(body, bodyType), type, notFoundIsNull: false, cancellationToken))!;

    private async Task<T?> SendAsync<T>(
        HttpMethod method, string path, byte[]? body, JsonTypeInfo<T> type, bool notFoundIsNull, CancellationToken cancellationToken)
        where T : class
    {
        for (var attempt = 0; ; attempt++)
        {
            CatalogException failure;
            using var timeout = new CancellationTokenSource(options.RequestTimeout, time);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
            try
            {
                using var request = Request(method, path, body);
                using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, both.Token);
                if (response.IsSuccessStatusCode)
                {
                    await using var stream = await response.Content.ReadAsStreamAsync(both.Token);
                    return await JsonSerializer.DeserializeAsync(stream, type, both.Token)
                        ?? throw new CatalogException(CatalogErrorKind.Unavailable, $"{method} {path}: the catalogue answered null.");
                }

                if (notFoundIsNull && response.StatusCode == HttpStatusCode.NotFound)
                {
                    return null;
                }

                failure = await FailureAsync(response, method, path, both.Token);
                if (failure.Kind != CatalogErrorKind.Unavailable || !IsRepeatable(method))
                {
                    throw failure;
                }
            }
            catch (HttpRequestException e)
            {
                failure = new CatalogException(CatalogErrorKind.Unavailable, $"The catalogue at {options.ApiRoot} cannot be reached: {Innermost(e).Message}", e);
                if (!IsRepeatable(method) && e.HttpRequestError is not (HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError))
                {
                    throw failure;
                }
            }
            catch (JsonException e)
            {
                throw new CatalogException(CatalogErrorKind.Unavailable, $"{method} {path}: the catalogue's answer cannot be read: {e.Message}", e);
            }
            catch (Exception e) when (e is IOException and not CatalogException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
            {
                failure = new CatalogException(CatalogErrorKind.Unavailable, $"{method} {path}: the catalogue at {options.ApiRoot} did not finish its answer.", e);
                if (!IsRepeatable(method))
                {
                    throw failure;
                }
            }

            if (attempt + 1 >= options.Attempts)
            {
                throw failure;
            }

            await DelayAsync(attempt, cancellationToken);
        }
    }

    /// <summary>A POST that was sent may have created something; everything else has the same result when it is done twice.</summary>
    private static bool IsRepeatable(HttpMethod method) => method != HttpMethod.Post;

    private HttpRequestMessage Request(HttpMethod method, string path, byte[]? body)
    {
        var request = new HttpRequestMessage(method, new Uri(options.ApiRoot, path.StartsWith('/') ? path[1..] : "arvados/v1/" + path));
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + options.Token);
        if (options.RequestId is not null)
        {
            request.Headers.TryAddWithoutValidation("X-Request-Id", options.RequestId);
        }

        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.ContentType = Json;
        }

        return request;
    }

    private Task DelayAsync(int attempt, CancellationToken cancellationToken)
    {
        double factor;
        lock (random)
        {
            factor = random.NextDouble();
        }

        return Task.Delay(TimeSpan.FromMilliseconds(1) + (options.FirstRetryDelay * (1 << Math.Min(attempt, 10)) * factor), time, cancellationToken);
    }

    private static async Task<CatalogException> FailureAsync(HttpResponseMessage response, HttpMethod method, string path, CancellationToken cancellationToken)
    {
        // A lock of WebDAV stays until its holder ends it; other 423s are worth another try.
        var locked = response.StatusCode == HttpStatusCode.Locked && response.Headers.TryGetValues(DavLockHeader, out var paths) ? Uri.UnescapeDataString(paths.First()) : null;
        var kind = (int)response.StatusCode switch
        {
            413 when path.StartsWith(DeadProperties, StringComparison.Ordinal) => CatalogErrorKind.TooLarge,
            423 when locked is not null => CatalogErrorKind.Locked,
            422 when response.Headers.Contains(QuotaHeader) => CatalogErrorKind.QuotaExceeded,
            404 => CatalogErrorKind.NotFound,
            401 => CatalogErrorKind.Unauthorized,
            403 => CatalogErrorKind.Forbidden,
            412 => CatalogErrorKind.PreconditionFailed,
            408 or 409 or 423 or 429 or >= 500 => CatalogErrorKind.Unavailable,
            _ => CatalogErrorKind.Invalid,
        };
        var body = await response.Content.ReadAsStringAsync(cancellationToken);
        return new CatalogException(kind, $"{method} {path.Split('?')[0]}: HTTP {(int)response.StatusCode}: {ErrorText(body) ?? response.ReasonPhrase}") { LockedPath = locked };
    }

    private static string? ErrorText(string body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement.TryGetProperty("errors", out var errors) && errors.ValueKind == JsonValueKind.Array
                ? string.Join("; ", errors.EnumerateArray().Select(error => error.ToString()))
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static Exception Innermost(Exception e) => e.InnerException is { } inner ? Innermost(inner) : e;
}
