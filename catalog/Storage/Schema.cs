namespace KeepFs.Catalog.Storage;

/// <summary>The tables. Large columns stand last in their table: SQLite reads a row from the front and stops when it has what it needs.</summary>
internal static class Schema
{
    private const string Common = """
            uuid TEXT NOT NULL UNIQUE,
            owner_uuid TEXT NOT NULL,
            created_at TEXT NOT NULL,
            modified_at TEXT,
            modified_by_user_uuid TEXT,
            revision INTEGER NOT NULL DEFAULT 0
        """;

    public const string Version1 = $"""
        CREATE TABLE users (
            id INTEGER PRIMARY KEY,
            {Common},
            email TEXT, username TEXT, full_name TEXT, first_name TEXT, last_name TEXT, identity_url TEXT,
            is_active INTEGER NOT NULL DEFAULT 0,
            is_admin INTEGER NOT NULL DEFAULT 0,
            prefs TEXT NOT NULL DEFAULT '{"{}"}'
        );
        CREATE UNIQUE INDEX users_username ON users(username) WHERE username IS NOT NULL;

        CREATE TABLE groups (
            id INTEGER PRIMARY KEY,
            {Common},
            name TEXT NOT NULL,
            group_class TEXT NOT NULL,
            properties TEXT NOT NULL DEFAULT '{"{}"}',
            trash_at TEXT, delete_at TEXT, is_trashed INTEGER NOT NULL DEFAULT 0,
            frozen_by_uuid TEXT,
            description TEXT
        );
        CREATE UNIQUE INDEX groups_owner_name ON groups(owner_uuid, name) WHERE is_trashed = 0;
        CREATE INDEX groups_modified ON groups(modified_at, uuid);
        CREATE INDEX groups_owner ON groups(owner_uuid);
        CREATE INDEX groups_trash ON groups(trash_at) WHERE trash_at IS NOT NULL;

        CREATE TABLE collections (
            id INTEGER PRIMARY KEY,
            {Common},
            name TEXT,
            portable_data_hash TEXT NOT NULL,
            replication_desired INTEGER, replication_confirmed INTEGER, replication_confirmed_at TEXT,
            storage_classes_desired TEXT NOT NULL,
            storage_classes_confirmed TEXT NOT NULL DEFAULT '[]',
            storage_classes_confirmed_at TEXT,
            trash_at TEXT, delete_at TEXT, is_trashed INTEGER NOT NULL DEFAULT 0,
            version INTEGER NOT NULL DEFAULT 1,
            current_version_uuid TEXT NOT NULL,
            preserve_version INTEGER NOT NULL DEFAULT 0,
            file_count INTEGER NOT NULL DEFAULT 0,
            file_size_total INTEGER NOT NULL DEFAULT 0,
            properties TEXT NOT NULL DEFAULT '{"{}"}',
            description TEXT,
            file_names TEXT,
            manifest_text BLOB
        );
        CREATE UNIQUE INDEX collections_owner_name ON collections(owner_uuid, name)
            WHERE is_trashed = 0 AND uuid = current_version_uuid AND name IS NOT NULL;
        CREATE UNIQUE INDEX collections_version ON collections(current_version_uuid, version);
        CREATE INDEX collections_modified ON collections(modified_at, uuid);
        CREATE INDEX collections_owner ON collections(owner_uuid, uuid);
        CREATE INDEX collections_pdh ON collections(portable_data_hash);
        CREATE INDEX collections_trash ON collections(trash_at) WHERE trash_at IS NOT NULL;

        CREATE TABLE links (
            id INTEGER PRIMARY KEY,
            {Common},
            tail_uuid TEXT, head_uuid TEXT, link_class TEXT, name TEXT,
            properties TEXT NOT NULL DEFAULT '{"{}"}'
        );
        CREATE INDEX links_tail ON links(tail_uuid);
        CREATE INDEX links_head ON links(head_uuid);
        CREATE INDEX links_owner ON links(owner_uuid);
        CREATE INDEX links_class_name ON links(link_class, name);

        CREATE TABLE api_client_authorizations (
            id INTEGER PRIMARY KEY,
            {Common},
            secret_hash TEXT NOT NULL UNIQUE,
            salted_hash TEXT NOT NULL,
            created_by_ip_address TEXT,
            expires_at TEXT,
            scopes TEXT NOT NULL
        );
        CREATE INDEX tokens_owner ON api_client_authorizations(owner_uuid);
        CREATE INDEX tokens_expiry ON api_client_authorizations(expires_at) WHERE expires_at IS NOT NULL;

        CREATE TABLE logs (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            {Common},
            object_uuid TEXT, object_owner_uuid TEXT, event_at TEXT, event_type TEXT, summary TEXT,
            properties TEXT NOT NULL DEFAULT '{"{}"}'
        );
        CREATE INDEX logs_object ON logs(object_uuid);
        CREATE INDEX logs_owner ON logs(owner_uuid);
        CREATE INDEX logs_created ON logs(created_at);
        CREATE INDEX logs_modified ON logs(modified_at, uuid);

        CREATE TABLE keep_services (
            id INTEGER PRIMARY KEY,
            {Common},
            service_host TEXT, service_port INTEGER,
            service_ssl_flag INTEGER NOT NULL DEFAULT 0,
            service_type TEXT NOT NULL DEFAULT 'disk',
            read_only INTEGER NOT NULL DEFAULT 0,
            from_config INTEGER NOT NULL DEFAULT 0
        );

        -- What each user reaches: level over all paths, and over those that also give what the target owns (0 = none).
        CREATE TABLE reachable (
            user_uuid TEXT NOT NULL,
            target_uuid TEXT NOT NULL,
            level INTEGER NOT NULL,
            owned_level INTEGER NOT NULL,
            PRIMARY KEY (user_uuid, target_uuid)
        ) WITHOUT ROWID;
        CREATE INDEX reachable_target ON reachable(target_uuid);

        -- Groups that are, or are inside, something with a trash time; the earliest time counts.
        CREATE TABLE trashed_groups (group_uuid TEXT PRIMARY KEY, trash_at TEXT NOT NULL) WITHOUT ROWID;

        -- Projects that are, or are inside, a frozen one.
        CREATE TABLE frozen_groups (group_uuid TEXT PRIMARY KEY) WITHOUT ROWID;
        """;

    /// <summary>Secrets of tokens, encrypted (<see cref="Tokens.TokenSeal"/>); null for tokens from before.</summary>
    public const string SealedTokenSecrets = "ALTER TABLE api_client_authorizations ADD COLUMN sealed_secret TEXT";
}
