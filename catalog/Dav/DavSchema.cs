namespace KeepFs.Catalog.Dav;

/// <summary>The tables of what WebDAV keeps (docs/decisions/0029, 0030). Paths are stored as <see cref="DavPath"/> says.</summary>
internal static class DavSchema
{
    public const string Version2 = """
        CREATE TABLE dav_locks (
            token TEXT PRIMARY KEY,
            uuid TEXT NOT NULL,
            path BLOB NOT NULL,
            is_shared INTEGER NOT NULL,
            is_infinite INTEGER NOT NULL,
            holder TEXT NOT NULL,
            expires_at TEXT NOT NULL,
            owner TEXT
        ) WITHOUT ROWID;
        CREATE INDEX dav_locks_path ON dav_locks(uuid, path);
        CREATE INDEX dav_locks_expiry ON dav_locks(expires_at);

        CREATE TABLE dav_properties (
            id INTEGER PRIMARY KEY,
            uuid TEXT NOT NULL,
            path BLOB NOT NULL,
            namespace TEXT NOT NULL,
            name TEXT NOT NULL,
            value TEXT NOT NULL
        );
        CREATE UNIQUE INDEX dav_properties_name ON dav_properties(uuid, path, namespace, name);
        """;
}
