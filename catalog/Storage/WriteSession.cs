namespace KeepFs.Catalog.Storage;

/// <summary>The writer inside a transaction: everything done through it is committed together or not at all.</summary>
internal sealed class WriteSession(CatalogConnection connection, DateTimeOffset now) : CatalogSession(connection, now);
