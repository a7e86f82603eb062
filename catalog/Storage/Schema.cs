namespace KeepFs.Catalog.Storage;

/// <summary>
/// The tables. Large columns stand last in their table: SQLite reads a row from the front and stops when it has what it needs. What may be long text is
/// indexed by its hash in PostgreSQL, whose other indexes refuse keys of more than 2700 bytes.
/// </summary>
internal static class Schema
{
    private static string PostgresVersion1 => $"""
        CREATE INDEX collections_properties ON collections USING gin ((properties::jsonb) jsonb_path_ops);
        CREATE INDEX groups_properties ON groups USING gin ((properties::jsonb) jsonb_path_ops);
        {Postgres.PostgresFunctions.Version1()}
        """;

    private static string Common(SqlDialect sql) => $"""
            uuid {sql.Text} NOT NULL UNIQUE,
            owner_uuid {sql.Text} NOT NULL,
            created_at {sql.Text} NOT NULL,
            modified_at {sql.Text},
            modified_by_user_uuid {sql.Text},
            revision {sql.Integer} NOT NULL DEFAULT 0
        """;

    public static string Version1(SqlDialect sql) => $"""
        CREATE TABLE users (
            id {sql.Id},
            {Common(sql)},
            email {sql.Text}, username {sql.Text}, full_name {sql.Text}, first_name {sql.Text}, last_name {sql.Text}, identity_url {sql.Text},
            is_active {sql.Integer} NOT NULL DEFAULT 0,
            is_admin {sql.Integer} NOT NULL DEFAULT 0,
            prefs {sql.Text} NOT NULL DEFAULT '{"{}"}'
        );
        CREATE UNIQUE INDEX users_username ON users(username) WHERE username IS NOT NULL;

        CREATE TABLE groups (
            id {sql.Id},
            {Common(sql)},
            name {sql.Text} NOT NULL,
            group_class {sql.Text} NOT NULL,
            properties {sql.Text} NOT NULL DEFAULT '{"{}"}',
            trash_at {sql.Text}, delete_at {sql.Text}, is_trashed {sql.Integer} NOT NULL DEFAULT 0,
            frozen_by_uuid {sql.Text},
            description {sql.Text}
        );
        CREATE UNIQUE INDEX groups_owner_name ON groups(owner_uuid, name) WHERE is_trashed = 0;
        CREATE INDEX groups_modified ON groups(modified_at{sql.NullsFirst}, uuid);
        CREATE INDEX groups_owner ON groups(owner_uuid);
        CREATE INDEX groups_trash ON groups(trash_at) WHERE trash_at IS NOT NULL;

        CREATE TABLE collections (
            id {sql.Id},
            {Common(sql)},
            name {sql.Text},
            portable_data_hash {sql.Text} NOT NULL,
            replication_desired {sql.Integer}, replication_confirmed {sql.Integer}, replication_confirmed_at {sql.Text},
            storage_classes_desired {sql.Text} NOT NULL,
            storage_classes_confirmed {sql.Text} NOT NULL DEFAULT '[]',
            storage_classes_confirmed_at {sql.Text},
            trash_at {sql.Text}, delete_at {sql.Text}, is_trashed {sql.Integer} NOT NULL DEFAULT 0,
            version {sql.Integer} NOT NULL DEFAULT 1,
            current_version_uuid {sql.Text} NOT NULL,
            preserve_version {sql.Integer} NOT NULL DEFAULT 0,
            file_count {sql.Integer} NOT NULL DEFAULT 0,
            file_size_total {sql.Integer} NOT NULL DEFAULT 0,
            properties {sql.Text} NOT NULL DEFAULT '{"{}"}',
            description {sql.Text},
            file_names {sql.Text},
            manifest_text {sql.Bytes}
        );
        CREATE UNIQUE INDEX collections_owner_name ON collections(owner_uuid, name)
            WHERE is_trashed = 0 AND uuid = current_version_uuid AND name IS NOT NULL;
        CREATE UNIQUE INDEX collections_version ON collections(current_version_uuid, version);
        CREATE INDEX collections_modified ON collections(modified_at{sql.NullsFirst}, uuid);
        CREATE INDEX collections_owner ON collections(owner_uuid, uuid);
        CREATE INDEX collections_pdh ON collections(portable_data_hash);
        CREATE INDEX collections_trash ON collections(trash_at) WHERE trash_at IS NOT NULL;

        CREATE TABLE links (
            id {sql.Id},
            {Common(sql)},
            tail_uuid {sql.Text}, head_uuid {sql.Text}, link_class {sql.Text}, name {sql.Text},
            properties {sql.Text} NOT NULL DEFAULT '{"{}"}'
        );
        {sql.Choose("CREATE INDEX links_tail ON links(tail_uuid)", "CREATE INDEX links_tail ON links USING hash (tail_uuid)")};
        {sql.Choose("CREATE INDEX links_head ON links(head_uuid)", "CREATE INDEX links_head ON links USING hash (head_uuid)")};
        CREATE INDEX links_owner ON links(owner_uuid);
        {sql.Choose("CREATE INDEX links_class_name ON links(link_class, name)", "CREATE INDEX links_name ON links USING hash (name)")};

        CREATE TABLE api_client_authorizations (
            id {sql.Id},
            {Common(sql)},
            secret_hash {sql.Text} NOT NULL UNIQUE,
            salted_hash {sql.Text} NOT NULL,
            created_by_ip_address {sql.Text},
            expires_at {sql.Text},
            scopes {sql.Text} NOT NULL
        );
        CREATE INDEX tokens_owner ON api_client_authorizations(owner_uuid);
        CREATE INDEX tokens_expiry ON api_client_authorizations(expires_at) WHERE expires_at IS NOT NULL;

        CREATE TABLE logs (
            id {sql.IdForEver},
            {Common(sql)},
            object_uuid {sql.Text}, object_owner_uuid {sql.Text}, event_at {sql.Text}, event_type {sql.Text}, summary {sql.Text},
            properties {sql.Text} NOT NULL DEFAULT '{"{}"}'
        );
        {sql.Choose("CREATE INDEX logs_object ON logs(object_uuid)", "CREATE INDEX logs_object ON logs USING hash (object_uuid)")};
        CREATE INDEX logs_owner ON logs(owner_uuid);
        CREATE INDEX logs_created ON logs(created_at);
        CREATE INDEX logs_modified ON logs(modified_at{sql.NullsFirst}, uuid);

        CREATE TABLE keep_services (
            id {sql.Id},
            {Common(sql)},
            service_host {sql.Text}, service_port {sql.Integer},
            service_ssl_flag {sql.Integer} NOT NULL DEFAULT 0,
            service_type {sql.Text} NOT NULL DEFAULT 'disk',
            read_only {sql.Integer} NOT NULL DEFAULT 0,
            from_config {sql.Integer} NOT NULL DEFAULT 0
        );

        {sql.Choose("", PostgresVersion1)}

        -- What each user reaches: level over all paths, and over those that also give what the target owns (0 = none).
        CREATE TABLE reachable (
            user_uuid {sql.Text} NOT NULL,
            target_uuid {sql.Text} NOT NULL,
            level {sql.Integer} NOT NULL,
            owned_level {sql.Integer} NOT NULL,
            PRIMARY KEY (user_uuid, target_uuid)
        ){sql.KeyedOnly};
        CREATE INDEX reachable_target ON reachable(target_uuid);

        -- Groups that are, or are inside, something with a trash time; the earliest time counts.
        CREATE TABLE trashed_groups (group_uuid {sql.Text} PRIMARY KEY, trash_at {sql.Text} NOT NULL){sql.KeyedOnly};

        -- Projects that are, or are inside, a frozen one.
        CREATE TABLE frozen_groups (group_uuid {sql.Text} PRIMARY KEY){sql.KeyedOnly};
        """;

    /// <summary>Secrets of tokens, encrypted (<see cref="Tokens.TokenSeal"/>); null for tokens from before.</summary>
    public static string SealedTokenSecrets(SqlDialect sql) => $"ALTER TABLE api_client_authorizations ADD COLUMN sealed_secret {sql.Text}";

    /// <summary>Indexes for large catalogues.</summary>
    public static string Version7(SqlDialect sql) => $"""
        -- Both ends of a permission link are UUIDs.
        CREATE INDEX links_permission_tail ON links(tail_uuid, head_uuid, name) WHERE link_class = 'permission';

        -- The users that a user acts as; every request asks for them.
        CREATE INDEX reachable_managed ON reachable(user_uuid, target_uuid) WHERE level = 3 AND substr(target_uuid, 7, 5) = 'tpzed';

        -- Everything that says whether a reader sees a collection, in the order in which most lists are.
        CREATE INDEX collections_readable ON collections(owner_uuid, modified_at{sql.NullsFirst}, uuid, trash_at) WHERE {sql.IsCurrent("")};
        CREATE INDEX collections_name ON collections(name{sql.NullsFirst}, uuid) WHERE {sql.IsCurrent("")};
        {sql.Choose(SqliteProperties, "")}
        """;

    /// <summary>
    /// What says whether a row is wanted is in the indexes that lists go along. SQLite then reads a row only when it is; PostgreSQL looks at each row all the same.
    /// </summary>
    public static string Version8(SqlDialect sql) => sql.Choose(
        $"""
        DROP INDEX collections_modified;
        CREATE INDEX collections_modified ON collections(modified_at, uuid, owner_uuid, trash_at, current_version_uuid);
        DROP INDEX collections_readable;
        CREATE INDEX collections_readable ON collections(owner_uuid, modified_at, uuid, trash_at, name) WHERE {sql.IsCurrent("")};
        """,
        "SELECT 1");

    // What the index on properties is in PostgreSQL: top-level text and numbers. What is found here is compared exactly, as everything else.
    private const string SqliteProperties = """
        CREATE TABLE keepfs_properties (key TEXT NOT NULL, value NOT NULL, id INTEGER NOT NULL, PRIMARY KEY (key, value, id)) WITHOUT ROWID;
        CREATE TRIGGER collections_properties_new AFTER INSERT ON collections WHEN new.properties <> '{}' BEGIN
            INSERT OR IGNORE INTO keepfs_properties SELECT key, value, new.id FROM json_each(new.properties) WHERE type IN ('text', 'integer', 'real');
        END;
        CREATE TRIGGER collections_properties_changed AFTER UPDATE OF properties ON collections WHEN new.properties <> old.properties BEGIN
            DELETE FROM keepfs_properties WHERE (key, value, id) IN (SELECT key, value, old.id FROM json_each(old.properties) WHERE type IN ('text', 'integer', 'real'));
            INSERT OR IGNORE INTO keepfs_properties SELECT key, value, new.id FROM json_each(new.properties) WHERE type IN ('text', 'integer', 'real');
        END;
        CREATE TRIGGER collections_properties_gone AFTER DELETE ON collections WHEN old.properties <> '{}' BEGIN
            DELETE FROM keepfs_properties WHERE (key, value, id) IN (SELECT key, value, old.id FROM json_each(old.properties) WHERE type IN ('text', 'integer', 'real'));
        END;
        INSERT OR IGNORE INTO keepfs_properties
            SELECT j.key, j.value, c.id FROM collections c, json_each(c.properties) j WHERE c.properties <> '{}' AND j.type IN ('text', 'integer', 'real');
        """;
}
