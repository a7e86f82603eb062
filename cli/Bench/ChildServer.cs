using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace KeepFs.Cli.Bench;

/// <summary>A server that the benchmark starts for itself and kills when it is done.</summary>
internal sealed class ChildServer : IDisposable
{
    private const int PollMilliseconds = 20;
    private static readonly TimeSpan StartTime = TimeSpan.FromSeconds(60);
    private readonly Process _process;

    private ChildServer(Process process, IPEndPoint address) => (_process, Address) = (process, address);

    public IPEndPoint Address { get; }

    /// <summary>Starts it and waits until it accepts connections. What it prints goes to the log file.</summary>
    /// <exception cref="IOException">It ended or does not answer.</exception>
    public static async Task<ChildServer> StartAsync(IReadOnlyList<string> command, int port, string log, CancellationToken cancellationToken)
    {
        // Through a shell, so that its output goes to a file without passing through us.
        string[] line = ["-c", "exec \"$@\" >>\"$0\" 2>&1", log, .. command];
        var process = Process.Start(new ProcessStartInfo("/bin/sh", line)) ?? throw new IOException($"cannot start {command[0]}");
        var server = new ChildServer(process, new IPEndPoint(IPAddress.Loopback, port));
        var started = Stopwatch.GetTimestamp();
        while (!await AcceptsAsync(server.Address, cancellationToken))
        {
            if (process.HasExited || Stopwatch.GetElapsedTime(started) > StartTime)
            {
                server.Dispose();
                throw new IOException($"{Path.GetFileName(command[0])} does not answer on port {port}; its output:\n{await File.ReadAllTextAsync(log, cancellationToken)}");
            }

            await Task.Delay(PollMilliseconds, cancellationToken);
        }

        return server;
    }

    /// <summary>A port that was free a moment ago.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit();
        }

        _process.Dispose();
    }

    private static async Task<bool> AcceptsAsync(IPEndPoint address, CancellationToken cancellationToken)
    {
        using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(address, cancellationToken);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
