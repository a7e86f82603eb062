using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using KeepFs.Hosting.Configuration;

namespace KeepFs.Cli.Keepstore;

/// <summary>Finds which entry of Services.Keepstore.InternalURLs this machine is.</summary>
internal static class ServerUrl
{
    /// <exception cref="CommandException">None fits, or more than one.</exception>
    public static string Choose(ClusterConfig config, string? wanted, Func<string, bool> isHere)
    {
        var all = config.Services.Keepstore.InternalURLs.Keys.Order(StringComparer.Ordinal).ToArray();

        // A gateway is only started by name: usually it runs beside a keepstore.
        if (wanted is not null && config.Services.Keepgw.InternalURLs.Keys.FirstOrDefault(url => string.Equals(url.TrimEnd('/'), wanted.TrimEnd('/'), StringComparison.OrdinalIgnoreCase)) is { } gateway)
        {
            return gateway;
        }
        var fitting = wanted is null
            ? all.Where(url => Uri.TryCreate(url, UriKind.Absolute, out var parsed) && isHere(parsed.Host.Trim('[', ']'))).ToArray()
            : all.Where(url => string.Equals(url.TrimEnd('/'), wanted.TrimEnd('/'), StringComparison.OrdinalIgnoreCase)).ToArray();
        return fitting switch
        {
            [var one] => one,
            [] when all.Length == 0 => throw new CommandException("the configuration names no keepstore: Services.Keepstore.InternalURLs is empty"),
            [] when wanted is not null => throw new CommandException($"Services.Keepstore.InternalURLs has no entry {wanted}; it has {string.Join(", ", all)}"),
            [] => throw new CommandException($"no address of this machine is in Services.Keepstore.InternalURLs ({string.Join(", ", all)}): say with -url which entry this server is"),
            _ => throw new CommandException($"several entries of Services.Keepstore.InternalURLs are this machine ({string.Join(", ", fitting)}): choose one with -url"),
        };
    }

    /// <summary>The host is an address of this machine, its name, or a name of such an address.</summary>
    public static bool IsThisMachine(string host)
    {
        if (string.Equals(host, Environment.MachineName, StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        var own = NetworkInterface.GetAllNetworkInterfaces().SelectMany(network => network.GetIPProperties().UnicastAddresses).Select(address => address.Address).ToHashSet();
        try
        {
            return (IPAddress.TryParse(host, out var address) ? [address] : Dns.GetHostAddresses(host)).Any(candidate => own.Contains(candidate) || IPAddress.IsLoopback(candidate));
        }
        catch (SocketException)
        {
            return false; // A name that nobody knows is not ours.
        }
    }
}
