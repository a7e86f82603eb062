namespace KeepFs.Catalog.Quotas;

/// <summary>Limits of a user or project with everything inside; null is no limit. Immutable.</summary>
/// <param name="Uuid">Whose.</param>
/// <param name="SoftBytes">May be passed for a time.</param>
/// <param name="HardBytes">Never passed by a save.</param>
/// <param name="SoftCollections">May be passed for a time.</param>
/// <param name="HardCollections">Never passed by a save.</param>
/// <param name="SoftSince">Since when a soft limit is passed, as stored.</param>
internal sealed record Quota(string Uuid, long? SoftBytes, long? HardBytes, long? SoftCollections, long? HardCollections, string? SoftSince)
{
    public const string Columns = "uuid, soft_bytes, hard_bytes, soft_collections, hard_collections, soft_since";

    public bool IsOverSoft((long Collections, long Bytes) used) => used.Bytes > SoftBytes || used.Collections > SoftCollections;

    public static Quota Read(System.Data.Common.DbDataReader row) => new(
        row.GetString(0), Number(row, 1), Number(row, 2), Number(row, 3), Number(row, 4), row.IsDBNull(5) ? null : row.GetString(5));

    private static long? Number(System.Data.Common.DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInt64(column);
}
