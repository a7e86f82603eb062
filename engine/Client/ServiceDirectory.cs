using System.Text.Json;

namespace KeepFs.Engine.Client;

/// <summary>
/// Asks <c>keep_services/accessible</c> and keeps the answer for five minutes, or three seconds after a failure (blocks.md section 4.3).
/// One request at a time; the last good list serves while the catalogue is away.
/// </summary>
public sealed class ServiceDirectory(HttpClient http, Uri apiRoot, string token, TimeProvider time) : IServiceDirectory, IDisposable
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(3);
    private readonly SemaphoreSlim _one = new(1, 1);
    private volatile Snapshot? _current;

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<KeepService>> GetAsync(bool refresh, CancellationToken cancellationToken)
    {
        var seen = _current;
        if (seen is not null && !MustAsk(seen, refresh))
        {
            return seen.Services;
        }

        await _one.WaitAsync(cancellationToken);
        try
        {
            seen = _current;
            if (seen is not null && !MustAsk(seen, refresh))
            {
                return seen.Services;
            }

            try
            {
                _current = new Snapshot(await AskAsync(cancellationToken), time.GetTimestamp(), Lifetime);
            }
            catch (HttpRequestException) when (seen is not null)
            {
                _current = seen with { AskedAt = time.GetTimestamp(), Lifetime = RetryAfter };
            }

            return _current.Services;
        }
        finally
        {
            _one.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _one.Dispose();

    private bool MustAsk(Snapshot snapshot, bool refresh)
    {
        var age = time.GetElapsedTime(snapshot.AskedAt);
        return age > snapshot.Lifetime || (refresh && age > RetryAfter);
    }

    private async Task<IReadOnlyList<KeepService>> AskAsync(CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(apiRoot, "arvados/v1/keep_services/accessible"));
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + token);
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        response.EnsureSuccessStatusCode();
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        using var document = await JsonDocument.ParseAsync(body, default, cancellationToken);
        return [.. document.RootElement.GetProperty("items").EnumerateArray().Select(Parse).DistinctBy(service => service.BaseUri)];
    }

    private static KeepService Parse(JsonElement item)
    {
        var host = item.GetProperty("service_host").GetString()!;
        if (host.Contains(':', StringComparison.Ordinal) && host[0] != '[')
        {
            host = $"[{host}]";
        }

        var scheme = item.TryGetProperty("service_ssl_flag", out var ssl) && ssl.ValueKind == JsonValueKind.True ? "https" : "http";
        return new KeepService(
            item.GetProperty("uuid").GetString()!,
            new Uri($"{scheme}://{host}:{item.GetProperty("service_port").GetInt32()}/"),
            item.TryGetProperty("service_type", out var type) ? type.GetString() ?? "disk" : "disk",
            item.TryGetProperty("read_only", out var readOnly) && readOnly.ValueKind == JsonValueKind.True);
    }

    private sealed record Snapshot(IReadOnlyList<KeepService> Services, long AskedAt, TimeSpan Lifetime);
}
