using System.Net.Http.Headers;
using System.Security.Cryptography;

namespace KeepFs.Cli.Bench.Web;

/// <summary>Something that clients do with a web server, and how much of it was done.</summary>
/// <param name="Name">As the table calls it.</param>
/// <param name="Unit">What is counted, per second.</param>
internal abstract record WebLoad(string Name, string Unit)
{
    /// <summary>Whether a server knows how.</summary>
    public virtual bool SuitsTo(WebPeer peer) => true;

    /// <summary>What is not timed.</summary>
    public virtual Task PrepareAsync(WebPeer peer, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Does it; returns how much, and how long that took.</summary>
    public abstract Task<(double Amount, TimeSpan Elapsed)> RunAsync(WebPeer peer, CancellationToken cancellationToken);

    /// <inheritdoc/>
    public sealed override string ToString() => Name;

    /// <summary>All of them.</summary>
    public static IReadOnlyList<WebLoad> All(WebBenchOptions options)
    {
        var mib = options.FileBytes >> 20;
        return
        [
            new LargeGet($"GET {mib} MiB, hot, 1 client", options, 1),
            new LargeGet($"GET {mib} MiB, hot, 4 clients", options, 4),
            new LargePut($"PUT {mib} MiB", options),
            new SmallGet("GET 4 KiB, 4 clients", options),
            new SmallPut("PUT 4 KiB, 4 clients", options),
            .. options.Listed.Select(count => new Listing($"PROPFIND of {count:N0} entries", count)),
        ];
    }
}

/// <summary>The large file, again and again; read once before the clock runs.</summary>
internal sealed record LargeGet(string Name, WebBenchOptions Options, int Clients) : WebLoad(Name, "MB/s")
{
    public override Task PrepareAsync(WebPeer peer, CancellationToken cancellationToken)
    {
        LoadGenerator.Run(peer.Address, 1, [Request(peer)], null);
        return Task.CompletedTask;
    }

    public override Task<(double Amount, TimeSpan Elapsed)> RunAsync(WebPeer peer, CancellationToken cancellationToken)
    {
        var result = LoadGenerator.Run(peer.Address, Clients, [Request(peer)], Options.Duration);
        return Task.FromResult((result.Bytes / 1e6, result.Elapsed));
    }

    private static LoadRequest Request(WebPeer peer) => LoadRequest.Of("GET", peer.Readable + WebData.Large, peer.Address.ToString(), peer.Token);
}

/// <summary>One large new file. Ours is on stable storage when it is answered; what the others do is their choice.</summary>
internal sealed record LargePut(string Name, WebBenchOptions Options) : WebLoad(Name, "MB/s")
{
    private byte[] _body = [];

    public override Task PrepareAsync(WebPeer peer, CancellationToken cancellationToken)
    {
        // Other bytes in each block and each time: blocks that are stored already would be found.
        if (_body.Length == 0)
        {
            _body = new byte[Options.FileBytes];
            new Random(2).NextBytes(_body);
        }

        for (var at = 0; at < _body.Length; at += 1 << 20)
        {
            RandomNumberGenerator.Fill(_body.AsSpan(at, 16));
        }

        return peer.CleanAsync(cancellationToken);
    }

    public override Task<(double Amount, TimeSpan Elapsed)> RunAsync(WebPeer peer, CancellationToken cancellationToken)
    {
        var result = LoadGenerator.Run(peer.Address, 1, [LoadRequest.PutFile(peer.Writable + WebData.Large, peer.Address.ToString(), peer.Token, _body, default)], null);
        return Task.FromResult((result.Bytes / 1e6, result.Elapsed));
    }
}

/// <summary>Small files, each once, over four connections.</summary>
internal sealed record SmallGet(string Name, WebBenchOptions Options) : WebLoad(Name, "files/s")
{
    private const int Clients = 4;

    public override Task<(double Amount, TimeSpan Elapsed)> RunAsync(WebPeer peer, CancellationToken cancellationToken)
    {
        LoadRequest[] requests = [.. Enumerable.Range(0, Options.Files)
            .Select(i => LoadRequest.Of("GET", $"{peer.Readable}{WebData.Small}/{WebData.SmallName(i)}", peer.Address.ToString(), peer.Token))];
        var result = LoadGenerator.Run(peer.Address, Clients, requests, null);
        return Task.FromResult(((double)result.Requests, result.Elapsed));
    }
}

/// <summary>New small files over four connections.</summary>
internal sealed record SmallPut(string Name, WebBenchOptions Options) : WebLoad(Name, "files/s")
{
    private const int Clients = 4;
    private const int NumberBytes = 16;

    public override Task PrepareAsync(WebPeer peer, CancellationToken cancellationToken) => peer.CleanAsync(cancellationToken);

    public override Task<(double Amount, TimeSpan Elapsed)> RunAsync(WebPeer peer, CancellationToken cancellationToken)
    {
        var body = RandomNumberGenerator.GetBytes(WebData.SmallBytes - NumberBytes);
        LoadRequest[] requests = [.. Enumerable.Range(0, Options.Files)
            .Select(i => LoadRequest.PutFile(peer.Writable + WebData.SmallName(i), peer.Address.ToString(), peer.Token, body, RandomNumberGenerator.GetBytes(NumberBytes)))];
        var result = LoadGenerator.Run(peer.Address, Clients, requests, null);
        return Task.FromResult(((double)result.Requests, result.Elapsed));
    }
}

/// <summary>PROPFIND with Depth 1 of a folder with many files, until the last byte of the answer.</summary>
internal sealed record Listing(string Name, int Count) : WebLoad(Name, "entries/s")
{
    public override bool SuitsTo(WebPeer peer) => peer.Lists;

    public override async Task<(double Amount, TimeSpan Elapsed)> RunAsync(WebPeer peer, CancellationToken cancellationToken)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromMinutes(5) };
        using var request = new HttpRequestMessage(new HttpMethod("PROPFIND"), $"http://{peer.Address}{peer.Readable}{WebData.Listed(Count)}/");
        request.Headers.Add("Depth", "1");
        if (peer.Token is { } token)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        var started = System.Diagnostics.Stopwatch.GetTimestamp();
        using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if ((int)answer.StatusCode != 207)
        {
            throw new IOException($"{peer.Name} answered PROPFIND with {(int)answer.StatusCode}");
        }

        await using var body = await answer.Content.ReadAsStreamAsync(cancellationToken);
        await body.CopyToAsync(Stream.Null, cancellationToken);
        return (Count, System.Diagnostics.Stopwatch.GetElapsedTime(started));
    }
}
