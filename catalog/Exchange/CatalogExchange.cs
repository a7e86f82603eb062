namespace KeepFs.Catalog.Exchange;

/// <summary>Where and in which form a catalogue is exported and imported over HTTP.</summary>
public static class CatalogExchange
{
    /// <summary>Below the catalogue's root, without a slash at either end; <c>/export</c>, <c>/import</c> and <c>/backup</c> follow.</summary>
    public const string Path = "keepfs/v1/catalog";

    /// <summary>One JSON object a line.</summary>
    public const string ContentType = "application/x-ndjson";
}
