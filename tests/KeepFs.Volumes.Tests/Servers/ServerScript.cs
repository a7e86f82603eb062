using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace KeepFs.Volumes.Tests.Servers;

/// <summary>A script beside the tests that runs a server until its standard input ends.</summary>
internal sealed class ServerScript : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(2);
    private readonly Process _process;

    private ServerScript(Process process) => _process = process;

    /// <summary>Starts it and waits for a line of its output that starts so; returns that line's rest.</summary>
    public static async Task<(ServerScript Script, string Answer)> StartAsync(string name, string readyLine, params string[] arguments)
    {
        var start = new ProcessStartInfo("bash") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "Servers", name));
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        var process = Process.Start(start)!;
        var errors = new StringBuilder();
        process.ErrorDataReceived += (_, line) =>
        {
            lock (errors)
            {
                errors.AppendLine(line.Data);
            }
        };
        process.BeginErrorReadLine();
        var script = new ServerScript(process);
        using var limit = new CancellationTokenSource(StartLimit);
        try
        {
            while (await process.StandardOutput.ReadLineAsync(limit.Token) is { } line)
            {
                if (line.StartsWith(readyLine, StringComparison.Ordinal))
                {
                    return (script, line[readyLine.Length..]);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Told below.
        }

        await script.DisposeAsync();
        lock (errors)
        {
            throw new InvalidOperationException($"{name} did not get ready. check.sh installs what it needs. It said:\n{errors}");
        }
    }

    /// <summary>Ports that nobody uses now.</summary>
    public static int[] FreePorts(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToArray();
        Array.ForEach(listeners, listener => listener.Start());
        var ports = listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port).ToArray();
        Array.ForEach(listeners, listener => listener.Stop());
        return ports;
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
