using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using KeepFs.Cli.Settings;

namespace KeepFs.Cli.Admin;

/// <summary>The catalogue's API as records of any type, for verbs that show and change them. Safe for concurrent use.</summary>
internal sealed class AdminApi : IDisposable
{
    private const int PageSize = 1000;

    /// <summary>For one answer; streams of the whole catalogue have none.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly ArvadosSettings _settings;
    private readonly HttpClient _http;

    public AdminApi(ArvadosSettings settings) => (_settings, _http) = (settings, ClientSession.CreateHttp(settings.IsInsecure));

    /// <exception cref="CommandException">The environment names no cluster.</exception>
    public static AdminApi Open() => new(ArvadosSettings.Load());

    public void Dispose() => _http.Dispose();

    /// <summary>The record, or null when there is none or we may not see it.</summary>
    public Task<JsonObject?> FindAsync(string path, CancellationToken ct) => FindAsync(path, isForbiddenNull: false, ct);

    /// <summary>The same, and null also when it is there but not for us.</summary>
    public Task<JsonObject?> FindAllowedAsync(string path, CancellationToken ct) => FindAsync(path, isForbiddenNull: true, ct);

    private async Task<JsonObject?> FindAsync(string path, bool isForbiddenNull, CancellationToken ct)
    {
        using var limit = Limit(ct);
        using var response = await SendAsync(HttpMethod.Get, Api(path), null, limit.Token, ct);
        return (int)response.StatusCode is 404 || (isForbiddenNull && (int)response.StatusCode is 403) ? null : await ReadAsync(response, limit.Token);
    }

    /// <exception cref="CommandException">The catalogue refused; the message is its own.</exception>
    public async Task<JsonObject> SendAsync(HttpMethod method, string path, JsonObject? body, CancellationToken ct)
    {
        using var limit = Limit(ct);
        using var content = body is null ? null : new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        using var response = await SendAsync(method, Api(path), content, limit.Token, ct);
        return await ReadAsync(response, limit.Token);
    }

    /// <summary>Every match, page by page in UUID order.</summary>
    /// <param name="type">Plural name, such as <c>users</c>.</param>
    /// <param name="filters">Conditions that all must hold.</param>
    /// <param name="options">More of the query, such as <c>include_trash=true</c>.</param>
    /// <param name="ct">Ends the wait.</param>
    public async IAsyncEnumerable<JsonObject> ListAsync(string type, JsonArray filters, string options, [EnumeratorCancellation] CancellationToken ct)
    {
        var last = "";
        while (true)
        {
            var page = (JsonArray)filters.DeepClone();
            page.Add(new JsonArray("uuid", ">", last));
            var answer = await SendAsync(
                HttpMethod.Get, $"{type}?filters={Uri.EscapeDataString(page.ToJsonString())}&order=uuid&count=none&limit={PageSize}&{options}", null, ct);
            var items = answer["items"]!.AsArray();
            if (items.Count == 0)
            {
                yield break;
            }

            foreach (var item in items)
            {
                yield return item!.AsObject();
            }

            last = Text(items[^1]!.AsObject(), "uuid");
        }
    }

    /// <summary>A request without a time limit, whose answer is a stream; the caller disposes it.</summary>
    /// <exception cref="CommandException">The catalogue refused.</exception>
    public async Task<HttpResponseMessage> StreamAsync(HttpMethod method, string path, HttpContent? content, CancellationToken ct)
    {
        var response = await SendAsync(method, path, content, ct, ct);
        if (response.IsSuccessStatusCode)
        {
            return response;
        }

        using (response)
        {
            throw await FailureAsync(response, ct);
        }
    }

    public static async Task<JsonObject> ReadAsync(HttpResponseMessage response, CancellationToken ct)
    {
        if (!response.IsSuccessStatusCode)
        {
            throw await FailureAsync(response, ct);
        }

        var text = await response.Content.ReadAsStringAsync(ct);
        return text.Length == 0 ? [] : JsonNode.Parse(text)!.AsObject();
    }

    /// <summary>An attribute as text; empty for none.</summary>
    public static string Text(JsonObject record, string name) => record[name]?.ToString() ?? "";

    private static string Api(string path) => "arvados/v1/" + path;

    private static CancellationTokenSource Limit(CancellationToken ct)
    {
        var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(Patience);
        return limit;
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, HttpContent? content, CancellationToken limit, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(method, new Uri(_settings.ApiRoot, path));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _settings.Token);
        request.Content = content;

        // A large body is not worth sending to a server that will not have it.
        request.Headers.ExpectContinue = content is StreamContent;
        try
        {
            return await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit);
        }
        catch (HttpRequestException e)
        {
            throw new CommandException($"The catalogue at {_settings.ApiRoot} cannot be reached: {e.GetBaseException().Message}", 1, e);
        }
        catch (OperationCanceledException e) when (!ct.IsCancellationRequested)
        {
            throw new CommandException($"The catalogue at {_settings.ApiRoot} did not answer within {Patience.TotalSeconds} s.", 1, e);
        }
        finally
        {
            // The caller's, who may want to send it again.
            request.Content = null;
        }
    }

    private static async Task<CommandException> FailureAsync(HttpResponseMessage response, CancellationToken ct)
    {
        var text = await response.Content.ReadAsStringAsync(ct);
        var status = (int)response.StatusCode;
        return new CommandException(status switch
        {
            401 => "The catalogue does not know the token in ARVADOS_API_TOKEN (or it has expired).",
            _ => $"The catalogue refused ({status}): {Errors(text) ?? response.ReasonPhrase}",
        });
    }

    private static string? Errors(string text)
    {
        try
        {
            return JsonNode.Parse(text)?["errors"] is JsonArray errors ? string.Join("; ", errors.Select(error => error?.ToString())) : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
