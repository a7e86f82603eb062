using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace KeepFs.Hosting.Transport;

/// <summary>
/// Kestrel's sockets, replaced: the same HTTP, but a request is received, answered and sent on one thread, and blocks move between the
/// socket and their buffer without a copy (<see cref="IBlockTransfer"/>). Register it as <see cref="IConnectionListenerFactory"/> after
/// Kestrel's own. What serves it must not block: disk work has threads of its own.
/// </summary>
/// <remarks>docs/decisions/0017 has the reasons and the measurements.</remarks>
public sealed class PolledTransport : IConnectionListenerFactory, IConnectionListenerFactorySelector, IDisposable
{
    private static readonly TimeSpan StallCheck = TimeSpan.FromSeconds(1);
    private readonly SocketPoller[] _pollers;
    private readonly TimeProvider _time;
    private readonly TimeSpan _patience;
    private readonly ITimer _stalls;
    private int _isLooking;

    /// <summary>Starts the threads.</summary>
    /// <param name="threads">Threads that serve connections; one per core keeps them all busy.</param>
    /// <param name="patience">A peer that has taken no byte for so long of what it is sent is cut off. Kestrel's own MinResponseDataRate does not count blocks.</param>
    /// <param name="time">The clock for that.</param>
    public PolledTransport(int threads, TimeSpan patience, TimeProvider time)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        (_patience, _time) = (patience, time);
        _pollers = [.. Enumerable.Range(0, threads).Select(static number => new SocketPoller(number))];
        _stalls = time.CreateTimer(static transport => ((PolledTransport)transport!).ResetStalled(), this, StallCheck, StallCheck);
    }

    /// <inheritdoc/>
    public bool CanBind(EndPoint endpoint) => endpoint is IPEndPoint && OperatingSystem.IsLinux();

    /// <inheritdoc/>
    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            // The unspecified IPv6 address stands for every address of both families.
            if (endpoint is IPEndPoint { Address: var address } && address.Equals(IPAddress.IPv6Any))
            {
                socket.DualMode = true;
            }

            socket.Bind(endpoint);
            socket.Listen(PolledListener.Backlog);
            return ValueTask.FromResult<IConnectionListener>(new PolledListener(socket, _pollers));
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            socket.Dispose();
            throw new AddressInUseException(e.Message, e);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stalls.Dispose();
        Array.ForEach(_pollers, static poller => poller.Dispose());
    }

    private void ResetStalled()
    {
        // A look that takes long is not overtaken by the next.
        if (Interlocked.Exchange(ref _isLooking, 1) == 0)
        {
            Array.ForEach(_pollers, poller => poller.ResetStalled(_time, _patience));
            Volatile.Write(ref _isLooking, 0);
        }
    }
}
