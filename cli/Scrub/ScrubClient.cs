using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using KeepFs.Engine.Mounts;
using KeepFs.Hosting.Configuration;

namespace KeepFs.Cli.Scrub;

/// <summary>What one server said, as text and understood.</summary>
internal sealed record ScrubbedServer(string Url, string Text, ScrubStatus Status);

/// <summary>Talks to <c>/_keepfs/scrub</c> of keepstores.</summary>
internal sealed class ScrubClient : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly string[] _urls;
    private readonly HttpClient _http;

    private ScrubClient(string[] urls, string token, bool isInsecure)
    {
        _urls = urls;
#pragma warning disable CA5399, CA5400 // Only when the configuration says so.
        _http = new HttpClient(isInsecure ? new HttpClientHandler { ServerCertificateCustomValidationCallback = static (_, _, _, _) => true } : new HttpClientHandler()) { Timeout = Patience };
#pragma warning restore CA5399, CA5400
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    /// <exception cref="CommandException">There is no token or no server.</exception>
    public static ScrubClient Create(string? server, string configFile, string? tokenFile)
    {
        if (server is not null && tokenFile is not null)
        {
            return new ScrubClient([server], File.ReadAllText(tokenFile).Trim(), isInsecure: false);
        }

        if (!File.Exists(configFile))
        {
            throw new CommandException($"there is no {configFile}: name the configuration with --config, or a server and --token-file", 2);
        }

        var config = ClusterConfigLoader.Load(configFile).Config;
        string[] urls = server is null ? [.. config.Services.Keepstore.InternalURLs.Keys.Order(StringComparer.Ordinal)] : [server];
        return urls.Length > 0
            ? new ScrubClient(urls, tokenFile is null ? config.SystemRootToken : File.ReadAllText(tokenFile).Trim(), config.TLS.Insecure)
            : throw new CommandException($"{configFile} names no keepstore: Services.Keepstore.InternalURLs is empty");
    }

    public async Task<IReadOnlyList<ScrubbedServer>> StatusAsync(CancellationToken cancellationToken)
    {
        var servers = new List<ScrubbedServer>();
        foreach (var url in _urls)
        {
            var text = await SendAsync(HttpMethod.Get, url, null, cancellationToken);
            servers.Add(new ScrubbedServer(url, text, JsonSerializer.Deserialize(text, ScrubJson.Default.ScrubStatus)!));
        }

        return servers;
    }

    public async Task OrderAsync(string action, long? rate, CancellationToken cancellationToken)
    {
        var order = rate is null ? $$"""{"action":"{{action}}"}""" : string.Create(CultureInfo.InvariantCulture, $$"""{"action":"{{action}}","rate":{{rate}}}""");
        foreach (var url in _urls)
        {
            await SendAsync(HttpMethod.Put, url, order, cancellationToken);
        }
    }

    public void Dispose() => _http.Dispose();

    private async Task<string> SendAsync(HttpMethod method, string url, string? body, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, url.TrimEnd('/') + "/_keepfs/scrub");
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        try
        {
            using var response = await _http.SendAsync(request, cancellationToken);
            var text = await response.Content.ReadAsStringAsync(cancellationToken);
            return response.StatusCode switch
            {
                HttpStatusCode.OK => text,
                HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => throw new CommandException($"{url} does not accept the system token: is it that of the server's configuration?"),
                _ => throw new CommandException($"{url}: {(int)response.StatusCode} {text.Trim()}"),
            };
        }
        catch (Exception e) when (e is HttpRequestException || (e is TaskCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new CommandException($"{url} does not answer: {e.Message}", 1, e);
        }
    }
}
