using System.Net;
using System.Net.Sockets;

namespace KeepFs.Cli.Up;

/// <summary>Ports for a cluster that somebody starts beside others.</summary>
internal static class FreePorts
{
    /// <summary>A base whose ports for two keepstores are free now; another program could still take one of them, which <c>up</c> would then name.</summary>
    public static int Base()
    {
        while (true)
        {
            var candidate = Random.Shared.Next(20000, 60000);
            int[] offsets = [UpOptions.ApiOffset, UpOptions.WebOffset, UpOptions.GatewayOffset, UpOptions.KeepstoreOffset, UpOptions.KeepstoreOffset + 1];
            if (offsets.All(offset => IsFree(candidate + offset)))
            {
                return candidate;
            }
        }
    }

    private static bool IsFree(int port)
    {
        using var probe = new TcpListener(IPAddress.Loopback, port);
        try
        {
            probe.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
