using KeepFs.Catalog.Storage;

namespace KeepFs.Catalog.References;

/// <summary>The tables of which collection uses which block (docs/decisions/0039-block-references.md).</summary>
internal static class ReferenceSchema
{
    public static string Version6(SqlDialect sql) => $"""
        -- Blocks that some collection or past version uses. Numbers ascend, so that tables below grow at their end; the hash stands in a narrow index.
        CREATE TABLE blocks (
            id {sql.Integer} PRIMARY KEY,
            high {sql.Integer} NOT NULL, low {sql.Integer} NOT NULL,
            size {sql.Integer} NOT NULL
        );
        CREATE INDEX blocks_high ON blocks(high);

        -- family: the id of the current version. The block is used by the versions since .. until; null = also by the current one.
        CREATE TABLE block_refs (
            family {sql.Integer} NOT NULL,
            block {sql.Integer} NOT NULL,
            since {sql.Integer} NOT NULL,
            until {sql.Integer},
            PRIMARY KEY (family, block, since)
        ){sql.KeyedOnly};
        CREATE INDEX block_refs_block ON block_refs(block);

        -- One row. epoch: changes when all was computed anew, so that nobody goes on counting from before; filled: collections up to this id are in.
        CREATE TABLE reference_state (id {sql.Integer} PRIMARY KEY, epoch {sql.Text} NOT NULL, filled {sql.Integer});
        INSERT INTO reference_state (id, epoch, filled) VALUES (1, '1', 0);
        """;
}
