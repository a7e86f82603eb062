using System.ComponentModel;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace KeepFs.Hosting.Transport;

/// <summary>Accepts connections and deals them out to the pollers in turn.</summary>
internal sealed class PolledListener(Socket socket, SocketPoller[] pollers) : IConnectionListener
{
    /// <summary>Connections that the kernel completes while we are busy; it caps this at net.core.somaxconn.</summary>
    public const int Backlog = 1024;

    private static readonly TimeSpan DescriptorWait = TimeSpan.FromMilliseconds(50);
    private int _next;

    public EndPoint EndPoint { get; } = socket.LocalEndPoint!;

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            Socket? accepted = null;
            try
            {
                accepted = await socket.AcceptAsync(cancellationToken);
                return new PolledConnection(accepted, pollers[_next++ % pollers.Length]);
            }
            catch (ObjectDisposedException)
            {
                return null;
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.OperationAborted)
            {
                return null;
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.TooManyOpenSockets)
            {
                // Somebody must close one first; until then the kernel's queue holds who comes.
                await Task.Delay(DescriptorWait, CancellationToken.None);
            }
            catch (Exception e) when (e is SocketException or Win32Exception)
            {
                // It came and went.
                accepted?.Dispose();
            }
        }
    }

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        socket.Dispose();
        return default;
    }

    public ValueTask DisposeAsync()
    {
        socket.Dispose();
        return default;
    }
}
