using KeepFs.Catalog.Records;
using KeepFs.Catalog.Storage;
using KeepFs.Engine.Blocks;
using KeepFs.Hosting.Configuration;

namespace KeepFs.Catalog;

/// <summary>What every part of the catalogue shares. Immutable; safe for concurrent use.</summary>
internal sealed record CatalogContext(ClusterConfig Config, CatalogDatabase Database, Uuids Uuids, LocatorSigner Signer, TimeProvider Time)
{
    /// <summary>Classes of collections that name none (catalog-api.md 4.1), as stored JSON.</summary>
    public string DefaultStorageClassesJson { get; } = System.Text.Json.JsonSerializer.Serialize(
        [.. Config.StorageClasses.Where(pair => pair.Value.Default).Select(pair => pair.Key).Order(StringComparer.Ordinal).DefaultIfEmpty("default")],
        Requests.WireJson.Default.StringArray);
}
