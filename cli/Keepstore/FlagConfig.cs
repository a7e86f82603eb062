using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using KeepFs.Engine.Blocks;
using KeepFs.Hosting.Configuration;

namespace KeepFs.Cli.Keepstore;

/// <summary>Turns the flags of 2016 into a cluster's configuration (docs/decisions/0010-flag-mode.md).</summary>
internal static class FlagConfig
{
    /// <summary>The cluster has no name on such a command line; UUIDs of volumes need one.</summary>
    private const string ClusterId = "local";

    /// <summary>Reads the key files and makes the configuration; the URL is the server's own entry in it.</summary>
    /// <exception cref="CommandException">Something that the flags say cannot be.</exception>
    public static (ClusterConfig Config, string Url, IPEndPoint? Listen) Make(KeepstoreFlags flags, Func<IReadOnlyList<VolumeFlag>> discover)
    {
        var key = flags.SigningKeyFile is { } file ? ReadSecret(file) : "";
        if (flags.EnforcesPermissions && key.Length == 0)
        {
            throw new CommandException("-enforce-permissions needs a signing key: give -blob-signing-key-file");
        }

        if (flags is { Gateway: not null, Volumes.Count: > 0 })
        {
            throw new CommandException("-volume=s3:... makes this a gateway, which has no other volumes: start another server for those");
        }

        var volumes = flags.Volumes.Count > 0 || flags.Gateway is not null ? flags.Volumes : discover();
        if (volumes.Count == 0 && flags.Gateway is null)
        {
            throw new CommandException("No volumes found: give -volume=/DIR, or make a directory \"keep\" at the top of a mounted file system");
        }

        var (listen, port) = ParseListen(flags.Listen);
        var url = $"http://{listen?.ToString() ?? $"{Environment.MachineName}:{port}"}/";
        var config = new ClusterConfig
        {
            ClusterId = ClusterId,

            // Without a token file nobody is authorised, as in 2016: nobody can know this one.
            SystemRootToken = flags.SystemTokenFile is { } tokenFile ? ReadSecret(tokenFile) : RandomNumberGenerator.GetHexString(64),
            API = new ApiConfig
            {
                MaxKeepBlobBuffers = flags.MaxBuffers,
                MaxConcurrentRequests = flags.MaxRequests > 0 ? flags.MaxRequests : (int)Math.Min(int.MaxValue, 2L * flags.MaxBuffers),
                MaxQueuedRequests = 0,
            },

            // No flag of 2016 speaks of it; /_keepfs/scrub and keepfs scrub can start it.
            KeepFs = new KeepFsConfig { Scrub = new ScrubConfig { Enabled = false } },
            Collections = new CollectionsConfig
            {
                BlobSigning = flags.EnforcesPermissions,
                BlobSigningKey = key,
                BlobSigningTTL = TimeSpan.FromSeconds(flags.SignatureSeconds),
                BlobTrash = !flags.NeverDeletes,
                BlobTrashLifetime = flags.TrashLifetime,
                BlobTrashCheckInterval = flags.TrashCheckInterval,
                BlobTrashConcurrency = 1,
                BlobReplicateConcurrency = 1,
            },
            Volumes = volumes.ToDictionary(volume => VolumeUuid(volume, port), volume => new VolumeConfig
            {
                Driver = volume.Driver,
                ReadOnly = volume.IsReadOnly,
                Replication = volume.Replication,
                DriverParameters = volume.Driver switch
                {
                    "S3" => new Dictionary<string, string>(volume.Parameters) { ["UnsafeDelete"] = flags.DeletesUnsafely ? "true" : "false" },
                    "Azure" => volume.Parameters,
                    _ => new Dictionary<string, string> { ["Root"] = volume.Name, ["Serialize"] = volume.IsSerialized ? "true" : "false" },
                },
            }),
        };

        // The address is bound by the options; a name here only tells that all interfaces are meant.
        var service = new ServiceConfig { InternalURLs = new Dictionary<string, InternalUrlConfig> { [url] = new() { ListenURL = $"http://all-interfaces:{port}/" } } };
        config = flags.Gateway is { } gateway
            ? config with
            {
                Services = new ServicesConfig { Keepgw = service },
                Volumes = new Dictionary<string, VolumeConfig> { [VolumeUuid(new VolumeFlag("S3", "gateway " + gateway.Bucket, true, false), port)] = gateway.ToVolume(flags.S3Endpoint, flags.S3Region) },
            }
            : config with { Services = new ServicesConfig { Keepstore = service } };
        return (config, url, listen);
    }

    /// <summary>The same after every start, since it decides about the order of volumes. Of a directory another one on every other server; of a bucket the same.</summary>
    private static string VolumeUuid(VolumeFlag volume, int port)
    {
        var place = volume.Driver switch
        {
            "S3" => $"s3:{volume.Parameters.GetValueOrDefault("Endpoint")}:{volume.Parameters.GetValueOrDefault("Region")}:{volume.Name}",
            "Azure" => $"azure:{volume.Parameters.GetValueOrDefault("StorageAccountName")}:{volume.Name}",
            _ => $"{Environment.MachineName}:{port}:{volume.Name}",
        };
        return $"{ClusterId}-nyw5e-{BlockHash.Compute(Encoding.UTF8.GetBytes(place)).ToString()[..15]}";
    }

    /// <summary>Null: all interfaces.</summary>
    private static (IPEndPoint? Address, int Port) ParseListen(string text)
    {
        var colon = text.LastIndexOf(':');
        if (colon < 0 || !ushort.TryParse(text.AsSpan(colon + 1), out var port))
        {
            throw new CommandException($"-listen={text}: must be host:port, like 10.0.1.24:8000 or :25107", 2);
        }

        var host = text[..colon].Trim('[', ']');
        if (host.Length == 0)
        {
            return (null, port);
        }

        if (!IPAddress.TryParse(host, out var address))
        {
            try
            {
                var all = Dns.GetHostAddresses(host);
                address = all.FirstOrDefault(candidate => candidate.AddressFamily == AddressFamily.InterNetwork) ?? all[0];
            }
            catch (SocketException e)
            {
                throw new CommandException($"-listen={text}: {host}: {e.Message}", 1, e);
            }
        }

        return (new IPEndPoint(address, port), port);
    }

    internal static string ReadSecret(string path)
    {
        string text;
        try
        {
            text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(File.ReadAllBytes(path)).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new CommandException($"{path}: {e.Message}", 1, e);
        }

        return text.Length > 0 ? text : throw new CommandException($"{path} is empty");
    }
}
