using System.Buffers;
using System.Globalization;
using System.Text.Json;
using KeepFs.Catalog.Records;
using KeepFs.Hosting.Configuration;

namespace KeepFs.Catalog.Discovery;

/// <summary>What anybody may know of the configuration (catalog-api.md 14): no secrets, no internal addresses, no driver parameters.</summary>
internal static class PublicConfig
{
    public static byte[] Build(ClusterConfig config)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, RecordJson.WriterOptions))
        {
            writer.WriteStartObject();
            writer.WriteString("ClusterID", config.ClusterId);
            WriteApi(writer, config);
            WriteCollections(writer, config.Collections);
            WriteServices(writer, config.Services);
            WriteStorageClasses(writer, config);
            WriteVolumes(writer, config);
            writer.WriteStartObject("Users");
            writer.WriteString("AnonymousUserToken", config.Users.AnonymousUserToken);
            writer.WriteEndObject();
            writer.WriteStartObject("TLS");
            writer.WriteBoolean("Insecure", config.TLS.Insecure);
            writer.WriteEndObject();
            writer.WriteStartObject("RemoteClusters");
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Durations as the API writes them: <c>336h0m0s</c>, <c>1m0s</c>, <c>10s</c>.</summary>
    public static string Duration(TimeSpan duration)
    {
        if (duration < TimeSpan.Zero)
        {
            return "-" + Duration(-duration);
        }

        var seconds = (duration.Seconds + (duration.Milliseconds / 1000m)).ToString("0.###", CultureInfo.InvariantCulture);
        return duration.TotalHours >= 1 ? $"{(long)duration.TotalHours}h{duration.Minutes}m{seconds}s"
            : duration.TotalMinutes >= 1 ? $"{duration.Minutes}m{seconds}s"
            : $"{seconds}s";
    }

    private static void WriteApi(Utf8JsonWriter writer, ClusterConfig config)
    {
        writer.WriteStartObject("API");
        writer.WriteNumber("MaxItemsPerResponse", config.API.MaxItemsPerResponse);
        writer.WriteNumber("MaxRequestSize", config.API.MaxRequestSize);
        writer.WriteString("RequestTimeout", Duration(config.API.RequestTimeout));
        writer.WriteEndObject();
    }

    private static void WriteCollections(Utf8JsonWriter writer, CollectionsConfig config)
    {
        writer.WriteStartObject("Collections");
        writer.WriteBoolean("BlobSigning", config.BlobSigning);
        writer.WriteString("BlobSigningTTL", Duration(config.BlobSigningTTL));
        writer.WriteBoolean("CollectionVersioning", config.CollectionVersioning);
        writer.WriteNumber("DefaultReplication", config.DefaultReplication);
        writer.WriteString("DefaultTrashLifetime", Duration(config.DefaultTrashLifetime));
        writer.WriteString("ForwardSlashNameSubstitution", config.ForwardSlashNameSubstitution);
        writer.WriteStartObject("ManagedProperties");
        foreach (var (name, property) in config.ManagedProperties.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            writer.WriteStartObject(name);
            writer.WriteString("Function", property.Function);
            writer.WriteBoolean("Protected", property.Protected);
            writer.WriteString("Value", property.Value);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
        writer.WriteString("PreserveVersionIfIdle", Duration(config.PreserveVersionIfIdle));
        writer.WriteBoolean("S3FolderObjects", config.S3FolderObjects);
        writer.WriteBoolean("TrustAllContent", config.TrustAllContent);
        writer.WriteEndObject();
    }

    private static void WriteServices(Utf8JsonWriter writer, ServicesConfig services)
    {
        writer.WriteStartObject("Services");
        foreach (var (name, service) in new[]
        {
            ("Controller", services.Controller), ("Keepproxy", services.Keepproxy), ("Keepstore", services.Keepstore), ("WebDAV", services.WebDAV),
            ("WebDAVDownload", services.WebDAVDownload), ("Websocket", services.Websocket),
        })
        {
            writer.WriteStartObject(name);
            writer.WriteString("ExternalURL", service.ExternalURL);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }

    private static void WriteStorageClasses(Utf8JsonWriter writer, ClusterConfig config)
    {
        writer.WriteStartObject("StorageClasses");
        foreach (var (name, storageClass) in config.StorageClasses.Count > 0
            ? config.StorageClasses
            : new Dictionary<string, StorageClassConfig> { ["default"] = new() { Default = true } })
        {
            writer.WriteStartObject(name);
            writer.WriteBoolean("Default", storageClass.Default);
            writer.WriteNumber("Priority", storageClass.Priority);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }

    private static void WriteVolumes(Utf8JsonWriter writer, ClusterConfig config)
    {
        writer.WriteStartObject("Volumes");
        foreach (var (uuid, volume) in config.Volumes)
        {
            writer.WriteStartObject(uuid);
            writer.WriteStartObject("AccessViaHosts");
            foreach (var (host, access) in volume.AccessViaHosts)
            {
                writer.WriteStartObject(host);
                writer.WriteBoolean("ReadOnly", access.ReadOnly);
                writer.WriteEndObject();
            }

            writer.WriteEndObject();
            writer.WriteBoolean("ReadOnly", volume.ReadOnly);
            writer.WriteNumber("Replication", volume.Replication);
            writer.WriteStartObject("StorageClasses");
            foreach (var (name, enabled) in volume.StorageClasses)
            {
                writer.WriteBoolean(name, enabled);
            }

            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }
}
