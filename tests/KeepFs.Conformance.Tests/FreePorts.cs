using System.Net;
using System.Net.Sockets;

namespace KeepFs.Conformance.Tests;

/// <summary>Ranges of ports that nobody listens on now, below those that the kernel gives to outgoing connections.</summary>
internal static class FreePorts
{
    private const int First = 15000;
    private const int Last = 32000;
    private static readonly int[] Offsets = [0, 2, 5, 7, 8];

    public static int Base()
    {
        while (true)
        {
            var candidate = Random.Shared.Next(First, Last);
            if (Offsets.All(offset => IsFree(candidate + offset)))
            {
                return candidate;
            }
        }
    }

    /// <summary>Listens on a port, so that nobody else can.</summary>
    public static TcpListener Take(int port)
    {
        var listener = new TcpListener(IPAddress.Loopback, port);
        listener.Start();
        return listener;
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var probe = Take(port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
