using System.Net;
using System.Net.Sockets;
using System.Text;

namespace KeepFs.Volumes.Tests;

/// <summary>An HTTP server that answers every request with the same text, or never.</summary>
internal sealed class StallingServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly string? _answer;
    private readonly bool _endsAnswer;
    private readonly Task _serving;
    private int _requests;

    /// <param name="answer">Null: none.</param>
    /// <param name="endsAnswer">False: more seems to come, and never does.</param>
    public StallingServer(string? answer = null, bool endsAnswer = true)
    {
        (_answer, _endsAnswer) = (answer, endsAnswer);
        _listener.Start();
        _serving = ServeAsync();
    }

    public string Url => $"http://{_listener.LocalEndpoint}";

    /// <summary>Connections that sent something.</summary>
    public int Requests => Volatile.Read(ref _requests);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _serving;
        _stop.Dispose();
    }

    private async Task ServeAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true)
            {
                connections.Add(AnswerAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task AnswerAsync(TcpClient connection)
    {
        using (connection)
        {
            try
            {
                var stream = connection.GetStream();
                await stream.ReadAtLeastAsync(new byte[64 << 10], 1, cancellationToken: _stop.Token);
                Interlocked.Increment(ref _requests);
                if (_answer is not null)
                {
                    await stream.WriteAsync(Encoding.ASCII.GetBytes(_answer), _stop.Token);
                    if (_endsAnswer)
                    {
                        connection.Client.Shutdown(SocketShutdown.Send);
                    }
                }

                // Until the other side has had enough, or the test has.
                while (await stream.ReadAsync(new byte[64 << 10], _stop.Token) > 0)
                {
                }
            }
            catch (Exception e) when (e is OperationCanceledException or IOException)
            {
                // The end of the connection.
            }
        }
    }
}
