using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace KeepFs.Cli.Tests.Doctor;

/// <summary>A tiny HTTP server that answers everything with one status and a Date of its choice.</summary>
internal sealed class DatedServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Task _serving;

    public DatedServer(DateTimeOffset date, int status)
    {
        _listener.Start();
        _serving = ServeAsync(string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 {status} x\r\nDate: {date:R}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
    }

    public string Url => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/";

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _serving;
    }

    private async Task ServeAsync(string answer)
    {
        try
        {
            while (true)
            {
                using var client = await _listener.AcceptTcpClientAsync();
                await using var stream = client.GetStream();
                using var reader = new StreamReader(stream, leaveOpen: true);
                while (await reader.ReadLineAsync() is { Length: > 0 })
                {
                    // Headers.
                }

                await stream.WriteAsync(Encoding.ASCII.GetBytes(answer));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Stopped.
        }
    }
}
