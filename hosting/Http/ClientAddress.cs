using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace KeepFs.Hosting.Http;

/// <summary>Who is at the other end, when proxies that the configuration trusts stand between.</summary>
public static class ClientAddress
{
    /// <summary>The header in which each proxy appends whom it serves.</summary>
    public const string Header = "X-Forwarded-For";

    /// <summary>
    /// Replaces the connection's address by the last one in <see cref="Header"/> that is no trusted proxy, for everything after it. Without trusted
    /// proxies, and from others than these, the header says nothing.
    /// </summary>
    /// <param name="app">The pipeline.</param>
    /// <param name="trusted">Addresses or networks (<c>10.0.0.0/8</c>); those with the value false are not trusted.</param>
    public static IApplicationBuilder UseClientAddress(this IApplicationBuilder app, IReadOnlyDictionary<string, bool> trusted)
    {
        var networks = trusted.Where(entry => entry.Value).Select(entry => ParseNetwork(entry.Key) ?? throw new FormatException($"'{entry.Key}' is no network")).ToArray();
        return networks.Length == 0 ? app : app.Use((context, next) =>
        {
            var address = context.Connection.RemoteIpAddress;
            var hops = context.Request.Headers[Header].ToString().Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            for (var i = hops.Length - 1; i >= 0 && address is not null && IsIn(networks, address) && ParseHop(hops[i]) is { } before; i--)
            {
                address = before;
                context.Items[Header] = true;
            }

            context.Connection.RemoteIpAddress = address;
            return next(context);
        });
    }

    /// <summary>
    /// The request comes from this machine itself and no trusted proxy says for whom: a service here, such as keep-web, that passes on the tokens of its
    /// own clients.
    /// </summary>
    public static bool IsLocal(HttpContext context) => !context.Items.ContainsKey(Header) && context.Connection is { RemoteIpAddress: var remote, LocalIpAddress: var local }
        && (remote is null || IPAddress.IsLoopback(remote) || (local is not null && Plain(remote).Equals(Plain(local))));

    /// <summary>An address, or a network with its length; null for something else.</summary>
    internal static IPNetwork? ParseNetwork(string text) => IPNetwork.TryParse(text, out var network) ? network
        : IPAddress.TryParse(text, out var address) ? new IPNetwork(address, address.GetAddressBytes().Length * 8)
        : null;

    /// <summary>IPv4 as such also where a socket shows it inside IPv6.</summary>
    internal static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    private static bool IsIn(IPNetwork[] networks, IPAddress address)
    {
        var plain = Plain(address);
        return Array.Exists(networks, network => network.Contains(plain));
    }

    // Some proxies append the port.
    private static IPAddress? ParseHop(string text) =>
        IPAddress.TryParse(text, out var address) ? Plain(address) : IPEndPoint.TryParse(text, out var endpoint) ? Plain(endpoint.Address) : null;
}
