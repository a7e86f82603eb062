using KeepFs.Catalog.Storage;

namespace KeepFs.Catalog.Dav;

/// <summary>The tables of what WebDAV keeps (docs/decisions/0029, 0030). Paths are stored as <see cref="DavPath"/> says.</summary>
internal static class DavSchema
{
    public static string Version2(SqlDialect sql) => $"""
        CREATE TABLE dav_locks (
            token {sql.Text} PRIMARY KEY,
            uuid {sql.Text} NOT NULL,
            path {sql.Bytes} NOT NULL,
            is_shared {sql.Integer} NOT NULL,
            is_infinite {sql.Integer} NOT NULL,
            holder {sql.Text} NOT NULL,
            expires_at {sql.Text} NOT NULL,
            owner {sql.Text}
        ){sql.KeyedOnly};
        CREATE INDEX dav_locks_path ON dav_locks({sql.Choose("uuid, path", "uuid")});
        CREATE INDEX dav_locks_expiry ON dav_locks(expires_at);

        CREATE TABLE dav_properties (
            id {sql.Id},
            uuid {sql.Text} NOT NULL,
            path {sql.Bytes} NOT NULL,
            namespace {sql.Text} NOT NULL,
            name {sql.Text} NOT NULL,
            value {sql.Text} NOT NULL
        );
        CREATE UNIQUE INDEX dav_properties_name ON dav_properties({sql.Choose("uuid, path, namespace, name", "uuid, md5(path), md5(namespace), md5(name)")});
        """;
}
