using System.Net;
using System.Net.Http.Headers;
using KeepFs.Cli.Up;

namespace KeepFs.Cli.Bench.Web;

/// <summary>Our own: a whole cluster in one process, tokens and permissions checked, every write on stable storage before it is answered.</summary>
internal sealed class KeepWebPeer(string folder) : WebPeer
{
    private const string DataName = "data";
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false });
    private ClusterProcess? _cluster;
    private int _cleaned;

    public override string Name => "keepfs";

    public override IPEndPoint Address => new(IPAddress.Loopback, _cluster!.WebDavUrl.Port);

    public override string? Token => _cluster!.Settings.Token;

    public override string Readable => $"/home/{DataName}/";

    public override string Writable => $"/home/new{_cleaned}/";

    public override async Task StartAsync(WebData data, CancellationToken cancellationToken)
    {
        _cluster = await ClusterProcess.StartAsync(Path.Combine(folder, "data"), [Path.Combine(folder, "disk")], mountPoint: null, cancellationToken);
        await _cluster.PutAsync(DataName, data.Folder, cancellationToken);
        await CleanAsync(cancellationToken);
    }

    /// <summary>A new collection: nobody waits until the old one is gone.</summary>
    public override async Task CleanAsync(CancellationToken cancellationToken)
    {
        _cleaned++;
        using var request = new HttpRequestMessage(new HttpMethod("MKCOL"), $"http://{Address}{Writable}") { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", Token) } };
        using var answer = await _http.SendAsync(request, cancellationToken);
        answer.EnsureSuccessStatusCode();
    }

    public override ValueTask DisposeAsync()
    {
        _http.Dispose();
        return _cluster?.DisposeAsync() ?? default;
    }
}
