using System.Globalization;
using KeepFs.Engine.Client;

namespace KeepFs.Catalog.Checkpoints;

/// <summary>The Keep services that the catalogue tells others of, read from its own database each time. Safe for concurrent use.</summary>
internal sealed class RegisteredServices(CatalogContext catalog) : IServiceDirectory
{
    public async ValueTask<IReadOnlyList<KeepService>> GetAsync(bool refresh, CancellationToken cancellationToken) => await catalog.Database.ReadAsync(
        session => session.Read(
            "SELECT uuid, service_host, service_port, service_ssl_flag, service_type, read_only FROM keep_services WHERE service_host IS NOT NULL AND service_port IS NOT NULL",
            row => new KeepService(
                row.GetString(0), Address(row.GetString(1), row.GetInt64(2), row.GetInt64(3) != 0), row.GetString(4), row.GetInt64(5) != 0)).DistinctBy(service => service.BaseUri).ToList(),
        cancellationToken);

    private static Uri Address(string host, long port, bool isTls)
    {
        var name = host.Contains(':', StringComparison.Ordinal) && host[0] != '[' ? $"[{host}]" : host;
        return new Uri(string.Create(CultureInfo.InvariantCulture, $"{(isTls ? "https" : "http")}://{name}:{port}/"));
    }
}
