using System.Security.Cryptography;
using System.Text;
using KeepFs.Catalog.Records;
using KeepFs.Catalog.Storage;
using KeepFs.Hosting.Configuration;

namespace KeepFs.Catalog.Services;

/// <summary>The keep services that the configuration implies, for as long as nobody has registered any (catalog-api.md 7).</summary>
internal static class KeepServices
{
    private const int RendezvousLength = 15;

    /// <summary>Brings the generated records in line with the configuration.</summary>
    public static void Synchronise(WriteSession session, ClusterConfig config, Uuids uuids)
    {
        session.Execute("DELETE FROM keep_services WHERE from_config = 1");
        if (session.Scalar("SELECT 1 FROM keep_services LIMIT 1") is not null)
        {
            return;
        }

        foreach (var (url, entry) in config.Services.Keepstore.InternalURLs)
        {
            Insert(session, uuids, url, entry.Rendezvous, "disk");
        }

        // The type keeps them out of the probe order: clients ask them only where a locator's hint names one.
        foreach (var (url, entry) in config.Services.Keepgw.InternalURLs)
        {
            Insert(session, uuids, url, entry.Rendezvous, "gateway:keepgw", isReadOnly: true);
        }

        if (config.Services.Keepproxy.ExternalURL is { Length: > 0 } proxy)
        {
            Insert(session, uuids, proxy, "", "proxy");
        }
    }

    /// <summary>15 characters in any case: a longer identity would be hashed differently by different clients.</summary>
    public static string UuidOf(string clusterId, string url, string rendezvous)
    {
        var seed = rendezvous.Length > 0 ? rendezvous : url.TrimEnd('/');
        var tail = rendezvous.Length == RendezvousLength && rendezvous.All(char.IsAsciiLetterOrDigit)
            ? rendezvous
            : Convert.ToHexStringLower(MD5.HashData(Encoding.UTF8.GetBytes(seed)))[..RendezvousLength];
        return $"{clusterId}-{RecordTypes.KeepServices.Infix}-{tail}";
    }

    private static void Insert(WriteSession session, Uuids uuids, string url, string rendezvous, string type, bool isReadOnly = false)
    {
        var address = new Uri(url);
        var row = new Row(RecordTypes.KeepServices)
        {
            ["uuid"] = UuidOf(uuids.ClusterId, url, rendezvous),
            ["owner_uuid"] = uuids.SystemUser,
            ["created_at"] = session.NowText,
            ["modified_at"] = session.NowText,
            ["modified_by_user_uuid"] = uuids.SystemUser,
            ["service_host"] = address.IdnHost,
            ["service_port"] = (long)address.Port,
            ["service_ssl_flag"] = address.Scheme == Uri.UriSchemeHttps ? 1L : 0L,
            ["service_type"] = type,
            ["read_only"] = isReadOnly ? 1L : 0L,
        };
        RecordStore.Insert(session, row, "from_config", 1L);
    }
}
