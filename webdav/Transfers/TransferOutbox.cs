using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using KeepFs.Engine.Catalog;
using Microsoft.Extensions.Logging;

namespace KeepFs.WebDav.Transfers;

/// <summary>
/// Writes log records into the catalogue, with the system's token and behind the requests' backs. What cannot be written is counted and said in the
/// server's log: transfers do not stop because the catalogue's log does. Safe for concurrent use.
/// </summary>
internal sealed partial class TransferOutbox : IAsyncDisposable
{
    /// <summary>Records that wait. More come in only when the catalogue takes fewer than there are transfers; some 5 MB then.</summary>
    private const int MaxWaiting = 10_000;

    /// <summary>How long a record waits for others: each request is a transaction of the catalogue, which has more important ones.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private const int MaxAttempts = 3;

    /// <summary>What the server's end may cost.</summary>
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    private readonly Channel<TransferEvent> _waiting = Channel.CreateBounded<TransferEvent>(MaxWaiting);
    private readonly CancellationTokenSource _ending = new();
    private readonly HttpClient _http;
    private readonly KeepWebServerOptions _options;
    private readonly string _clusterId;
    private readonly string _systemRootToken;
    private readonly ILogger _logger;
    private readonly Task _sender;
    private long _written;
    private long _lost;

    public TransferOutbox(HttpClient http, KeepWebServerOptions options, string clusterId, string systemRootToken, ILogger logger)
    {
        (_http, _options, _clusterId, _systemRootToken, _logger) = (http, options, clusterId, systemRootToken, logger);
        _sender = SendAllAsync();
    }

    /// <summary>Records in the catalogue.</summary>
    public long Written => Interlocked.Read(ref _written);

    /// <summary>Records that could not be written.</summary>
    public long Lost => Interlocked.Read(ref _lost);

    public void Add(TransferEvent entry)
    {
        if (!_waiting.Writer.TryWrite(entry))
        {
            Lose(1, "the catalogue takes them too slowly");
        }
    }

    /// <summary>Writes what waits, as far as the catalogue answers soon.</summary>
    public async ValueTask DisposeAsync()
    {
        _waiting.Writer.TryComplete();
        _ending.CancelAfter(LastWords);
        await _sender;
        _ending.Dispose();
    }

    private async Task SendAllAsync()
    {
        var together = new List<TransferEvent>();
        while (await _waiting.Reader.WaitToReadAsync(CancellationToken.None))
        {
            await Task.WhenAny(Task.Delay(Pause, _options.Time, CancellationToken.None), _waiting.Reader.Completion);
            while (together.Count < CatalogClient.MaxLogRecords && _waiting.Reader.TryRead(out var entry))
            {
                together.Add(entry);
            }

            await SendAsync(together);
            together.Clear();
        }
    }

    private async Task SendAsync(List<TransferEvent> entries)
    {
        var done = 0;
        try
        {
            var records = new List<JsonObject>(entries.Count);
            foreach (var entry in entries)
            {
                records.Add(await RecordOfAsync(entry));
            }

            if (await TrySendAsync("keepfs/v1/logs", new JsonObject { ["logs"] = new JsonArray([.. records.Select(record => record.DeepClone())]) }))
            {
                Interlocked.Add(ref _written, records.Count);
                return;
            }

            // A catalogue that is not ours, or one of them is wrong: the others are to be kept.
            foreach (var record in records)
            {
                if (await TrySendAsync("arvados/v1/logs", new JsonObject { ["log"] = record }))
                {
                    Interlocked.Increment(ref _written);
                }
                else
                {
                    Lose(1, "the catalogue refuses it");
                }

                done++;
            }
        }
        catch (Exception e) when (e is HttpRequestException or CatalogException or OperationCanceledException)
        {
            Lose(entries.Count - done, e.Message);
        }
    }

    /// <summary>False: the catalogue does not know the path, or refuses what is in it.</summary>
    private async Task<bool> TrySendAsync(string path, JsonObject body)
    {
        for (var attempt = 1; ; attempt++)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(_ending.Token);
            limit.CancelAfter(Timeout);
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(_options.ApiRoot, path));
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _systemRootToken);
            request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
            try
            {
                using var response = await _http.SendAsync(request, limit.Token);
                if (response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.UnprocessableEntity)
                {
                    return false;
                }

                response.EnsureSuccessStatusCode();
                return true;
            }
            catch (HttpRequestException e) when (attempt < MaxAttempts && (e.StatusCode is null || (int)e.StatusCode >= 500))
            {
                await Task.Delay(_options.FirstRetryDelay * attempt, _options.Time, _ending.Token);
            }
        }
    }

    private async Task<JsonObject> RecordOfAsync(TransferEvent entry)
    {
        var properties = new JsonObject
        {
            ["reqPath"] = entry.RequestPath,
            ["collection_uuid"] = entry.CollectionUuid,
            ["collection_file_path"] = entry.FilePath,
            ["file_count"] = entry.FileCount,
        };
        if (entry.PortableDataHash is { } hash)
        {
            properties["portable_data_hash"] = hash;
        }

        return new JsonObject
        {
            ["object_uuid"] = await UserOfAsync(entry),
            ["event_type"] = entry.Kind,
            ["event_at"] = entry.At.UtcDateTime.ToString("O", CultureInfo.InvariantCulture),
            ["properties"] = properties,
        };
    }

    private async Task<string> UserOfAsync(TransferEvent entry)
    {
        try
        {
            return (await entry.Session.GetUserAsync(_ending.Token)).Uuid;
        }
        catch (CatalogException e) when (e.Kind is CatalogErrorKind.Forbidden or CatalogErrorKind.Unauthorized)
        {
            // A sharing link's token may not ask.
            return $"{_clusterId}-tpzed-anonymouspublic";
        }
    }

    private void Lose(int count, string reason)
    {
        // One line for the first of a row; the number is in the metrics.
        var lost = Interlocked.Add(ref _lost, count);
        if ((lost - count) / CatalogClient.MaxLogRecords != lost / CatalogClient.MaxLogRecords || lost == count)
        {
            LogLost(lost, reason);
        }
    }

    [LoggerMessage(320, LogLevel.Warning, "Log records of transfers are not written, {Count} so far: {Reason}")]
    private partial void LogLost(long count, string reason);
}
