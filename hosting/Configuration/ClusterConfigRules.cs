using System.Text.RegularExpressions;

namespace KeepFs.Hosting.Configuration;

/// <summary>What must hold for every service; what only one service needs, that service checks when it starts.</summary>
internal static partial class ClusterConfigRules
{
    public static void Check(ClusterConfig config, List<string> faults)
    {
        var cluster = $"Clusters.{config.ClusterId}";
        Require(ClusterId().IsMatch(config.ClusterId), cluster, "a cluster id is five characters [a-z0-9]");
        Require(config.API.MaxConcurrentRequests >= 0, $"{cluster}.API.MaxConcurrentRequests", "must not be negative");
        Require(config.API.MaxQueuedRequests >= 0, $"{cluster}.API.MaxQueuedRequests", "must not be negative");
        Require(config.API.MaxRequestSize > 0, $"{cluster}.API.MaxRequestSize", "must be positive");
        Require(config.API.MaxItemsPerResponse > 0, $"{cluster}.API.MaxItemsPerResponse", "must be positive");
        Require(config.API.RequestTimeout > TimeSpan.Zero, $"{cluster}.API.RequestTimeout", "must be positive");
        Require(config.Collections.BlobSigningTTL > TimeSpan.Zero, $"{cluster}.Collections.BlobSigningTTL", "must be positive");
        Require(config.Collections.BlobTrashLifetime >= TimeSpan.Zero, $"{cluster}.Collections.BlobTrashLifetime", "must not be negative");
        Require(config.Collections.DefaultReplication > 0, $"{cluster}.Collections.DefaultReplication", "must be positive");
        Require(config.KeepFs.Scrub.Rate >= 0, $"{cluster}.KeepFs.Scrub.Rate", "must not be negative");
        Require(config.KeepFs.Scrub.Interval > TimeSpan.Zero, $"{cluster}.KeepFs.Scrub.Interval", "must be positive");
        Require(config.KeepFs.FailedLogins.Limit >= 0, $"{cluster}.KeepFs.FailedLogins.Limit", "must not be negative");
        Require(config.KeepFs.FailedLogins.Window > TimeSpan.Zero, $"{cluster}.KeepFs.FailedLogins.Window", "must be positive");
        Require(config.KeepFs.FailedLogins.MaxRemembered >= 2, $"{cluster}.KeepFs.FailedLogins.MaxRemembered", "must be at least 2");
        Require(config.KeepFs.QuotaGrace >= TimeSpan.Zero, $"{cluster}.KeepFs.QuotaGrace", "must not be negative");
        Require(config.KeepFs.CheckpointInterval >= TimeSpan.Zero, $"{cluster}.KeepFs.CheckpointInterval", "must not be negative");
        foreach (var (name, property) in config.Collections.ManagedProperties)
        {
            Require(property.Function is "" or "original_owner", $"{cluster}.Collections.ManagedProperties.{name}.Function", "must be original_owner, or be left out for a Value");
        }

        foreach (var proxy in config.KeepFs.TrustedProxies.Keys)
        {
            Require(Http.ClientAddress.ParseNetwork(proxy) is not null, $"{cluster}.KeepFs.TrustedProxies.{proxy}", "must be an address, or a network such as 10.0.0.0/8");
        }

        var keepServices = config.Services.Keepstore.InternalURLs.Select(entry => ("Keepstore", entry.Key, entry.Value))
            .Concat(config.Services.Keepgw.InternalURLs.Select(entry => ("Keepgw", entry.Key, entry.Value)));
        foreach (var (name, url, service) in keepServices)
        {
            var path = $"{cluster}.Services.{name}.InternalURLs.{url}";
            Require(IsHttp(url), path, "must be an http or https URL");
            Require(service.ListenURL.Length == 0 || IsHttp(service.ListenURL), $"{path}.ListenURL", "must be an http or https URL");
            var isIdentity = service.Rendezvous.Length == 0 || Rendezvous().IsMatch(service.Rendezvous);
            Require(isIdentity, $"{path}.Rendezvous", "must be exactly 15 characters [A-Za-z0-9]");
        }

        foreach (var (uuid, volume) in config.Volumes)
        {
            var path = $"{cluster}.Volumes.{uuid}";
            Require(VolumeUuid().IsMatch(uuid), path, "a volume's UUID has the form zzzzz-nyw5e-000000000000000");
            foreach (var url in volume.AccessViaHosts.Keys)
            {
                Require(IsHttp(url), $"{path}.AccessViaHosts.{url}", "must be an http or https URL");
            }
        }

        void Require(bool holds, string path, string rule)
        {
            if (!holds)
            {
                faults.Add($"{path}: {rule}");
            }
        }
    }

    private static bool IsHttp(string url) => Uri.TryCreate(url, UriKind.Absolute, out var parsed) && parsed.Scheme is "http" or "https";

    [GeneratedRegex(@"\A[a-z0-9]{5}\z")]
    private static partial Regex ClusterId();

    [GeneratedRegex(@"\A[A-Za-z0-9]{15}\z")]
    private static partial Regex Rendezvous();

    [GeneratedRegex(@"\A[a-z0-9]{5}-nyw5e-[a-z0-9]{15}\z")]
    private static partial Regex VolumeUuid();
}
