using KeepFs.Catalog.Storage;

namespace KeepFs.Catalog.Quotas;

/// <summary>The tables of limits and of what counts against them (docs/decisions/0038-quotas.md).</summary>
internal static class QuotaSchema
{
    public static string Version5(SqlDialect sql) => $"""
        -- What users and projects own themselves, not through projects inside: collections outside the trash, and the sizes of their files.
        CREATE TABLE owner_usage (
            owner_uuid {sql.Text} PRIMARY KEY,
            collections {sql.Integer} NOT NULL,
            bytes {sql.Integer} NOT NULL
        ){sql.KeyedOnly};
        {OwnerUsage.Fill};

        CREATE TABLE quotas (
            uuid {sql.Text} PRIMARY KEY,
            soft_bytes {sql.Integer}, hard_bytes {sql.Integer},
            soft_collections {sql.Integer}, hard_collections {sql.Integer},
            -- Since when a soft limit has been passed; null while none is.
            soft_since {sql.Text}
        ){sql.KeyedOnly};
        """;
}
