using System.Collections.Concurrent;
using System.Net;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Client;

namespace KeepFs.Engine.Tests.Client;

/// <summary>Keepstores behind the client's own message handler: each answers as its script says, and every request is remembered.</summary>
internal sealed class ScriptedServers : HttpMessageHandler
{
    private readonly Dictionary<string, Func<HttpRequestMessage, HttpResponseMessage>> _scripts = [];

    public ConcurrentQueue<string> Requests { get; } = new();

    public List<KeepService> Services { get; } = [];

    /// <summary>Adds a service; ids are 0, 1, 2... in their last digits.</summary>
    public string Add(Func<HttpRequestMessage, HttpResponseMessage> script, string type = "disk", bool readOnly = false)
    {
        var host = $"keep{Services.Count}";
        Services.Add(new KeepService($"zzzzz-bi6l4-{Services.Count:x15}", new Uri($"http://{host}:25107/"), type, readOnly));
        _scripts.Add(host, script);
        return host;
    }

    public KeepClient Client(int replicas = 2, IReadOnlyList<string>? classes = null, int attempts = 3) => new(
        new HttpClient(this) { Timeout = Timeout.InfiniteTimeSpan },
        new StaticServiceDirectory(Services),
        new KeepClientOptions { Token = "t", DefaultReplicas = replicas, DefaultStorageClasses = classes ?? [], Attempts = attempts, FirstRetryDelay = TimeSpan.Zero },
        TimeProvider.System,
        new Random(1));

    public static HttpResponseMessage Ok(byte[] body) => new(HttpStatusCode.OK) { Content = new ByteArrayContent(body) };

    public static HttpResponseMessage Status(int status) => new((HttpStatusCode)status) { Content = new StringContent("no\n") };

    /// <summary>Stores: answers with the signed locator.</summary>
    public static HttpResponseMessage Stored(HttpRequestMessage request, int? replicas = 1, string? confirmed = null)
    {
        using var body = new MemoryStream();
        request.Content!.CopyTo(body, null, default);
        var hash = BlockHash.Compute(body.ToArray());
        var response = new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent($"{hash}+{body.Length}+A{new string('0', 40)}@ffffffff\n") };
        if (replicas is not null)
        {
            response.Headers.Add("X-Keep-Replicas-Stored", replicas.ToString());
        }

        if (confirmed is not null)
        {
            response.Headers.Add("X-Keep-Storage-Classes-Confirmed", confirmed);
        }

        return response;
    }

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Requests.Enqueue($"{request.Method} {request.RequestUri!.Host}");
        return Task.FromResult(_scripts[request.RequestUri.Host](request));
    }
}
