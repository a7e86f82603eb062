using static KeepFs.Catalog.Records.ColumnKind;

namespace KeepFs.Catalog.Records;

/// <summary>Every record type of the API, with its columns (catalog-api.md 2, 4.1, 7 to 11, 15).</summary>
internal static class RecordTypes
{
    private const int NameLength = 255;
    private const int DescriptionLength = 524288;

    public static RecordType Collections { get; } = new("collections", "collection", "4zz18", "Collection",
    [
        .. Common(),
        new("name", Text) { IsWritable = true, EmptyForNull = true, MaxLength = NameLength },
        new("description", Text) { IsWritable = true, MaxLength = DescriptionLength },
        new("properties", ColumnKind.Object) { IsWritable = true },
        new("portable_data_hash", Identifier) { IsWritable = true },
        new("replication_desired", Integer) { IsWritable = true },
        new("replication_confirmed", Integer) { IsWritable = true },
        new("replication_confirmed_at", Time) { IsWritable = true },
        new("storage_classes_desired", ColumnKind.Array) { IsWritable = true },
        new("storage_classes_confirmed", ColumnKind.Array) { IsWritable = true },
        new("storage_classes_confirmed_at", Time) { IsWritable = true },
        .. Trash(),
        new("version", Integer) { IsWritable = true },
        new("current_version_uuid", Uuid) { IsWritable = true },
        new("preserve_version", ColumnKind.Boolean) { IsWritable = true },
        new("file_count", Integer) { IsWritable = true },
        new("file_size_total", Integer) { IsWritable = true },
        new("file_names", Text) { IsHidden = true },
        new("manifest_text", Manifest) { IsWritable = true, NotInLists = true },
        new("unsigned_manifest_text", Manifest) { IsDerived = true, OnlyWhenSelected = true },
    ]);

    public static RecordType Groups { get; } = new("groups", "group", "j7d0g", "Group",
    [
        .. Common(),
        new("name", Text) { IsWritable = true, MaxLength = NameLength },
        new("group_class", Text) { IsWritable = true },
        new("description", Text) { IsWritable = true, MaxLength = DescriptionLength },
        new("properties", ColumnKind.Object) { IsWritable = true },
        .. Trash(),
        new("frozen_by_uuid", Uuid) { IsWritable = true },
        .. Rights(),
    ]);

    public static RecordType Users { get; } = new("users", "user", "tpzed", "User",
    [
        .. Common(),
        new("email", Text) { IsWritable = true },
        new("username", Text) { IsWritable = true, MaxLength = NameLength },
        new("full_name", Text),
        new("first_name", Text) { IsWritable = true, MaxLength = NameLength },
        new("last_name", Text) { IsWritable = true, MaxLength = NameLength },
        new("identity_url", Text) { IsWritable = true },
        new("is_active", ColumnKind.Boolean) { IsWritable = true },
        new("is_admin", ColumnKind.Boolean) { IsWritable = true },
        new("is_invited", ColumnKind.Boolean) { IsDerived = true },
        new("prefs", ColumnKind.Object) { IsWritable = true, NotInLists = true },
        .. Rights(),
    ]);

    public static RecordType Links { get; } = new("links", "link", "o0j2j", "Link",
    [
        .. Common(),
        new("tail_uuid", Uuid) { IsWritable = true },
        new("head_uuid", Uuid) { IsWritable = true },
        new("link_class", Text) { IsWritable = true, MaxLength = NameLength },
        new("name", Text) { IsWritable = true },
        new("properties", ColumnKind.Object) { IsWritable = true },
        new("head_kind", Text) { IsDerived = true },
        new("tail_kind", Text) { IsDerived = true },
    ]);

    /// <summary>Secrets are stored hashed: <c>api_token</c> is filled in only where the caller has just presented or created it.</summary>
    public static RecordType Tokens { get; } = new("api_client_authorizations", "api_client_authorization", "gj3su", "ApiClientAuthorization",
    [
        .. Common(),
        new("api_token", Text) { IsDerived = true },
        new("created_by_ip_address", Text),
        new("last_used_at", Time) { IsDerived = true },
        new("last_used_by_ip_address", Text) { IsDerived = true },
        new("expires_at", Time) { IsWritable = true },
        new("scopes", ColumnKind.Array) { IsWritable = true },
    ]);

    public static RecordType Logs { get; } = new("logs", "log", "57u5n", "Log",
    [
        new("id", Integer),
        .. Common(),
        new("object_uuid", Uuid) { IsWritable = true },
        new("object_owner_uuid", Uuid) { IsWritable = true },
        new("event_at", Time) { IsWritable = true },
        new("event_type", Text) { IsWritable = true },
        new("summary", Text) { IsWritable = true },
        new("properties", ColumnKind.Object) { IsWritable = true },

        // Where a request came from is nobody's business but the admins'.
        new("origin", ColumnKind.Object) { IsHidden = true, IsPrivate = true },
    ]);

    public static RecordType KeepServices { get; } = new("keep_services", "keep_service", "bi6l4", "KeepService",
    [
        .. Common(),
        new("service_host", Text) { IsWritable = true },
        new("service_port", Integer) { IsWritable = true },
        new("service_ssl_flag", ColumnKind.Boolean) { IsWritable = true },
        new("service_type", Text) { IsWritable = true },
        new("read_only", ColumnKind.Boolean) { IsWritable = true },
    ]);

    public static IReadOnlyList<RecordType> All { get; } = [Collections, Groups, Users, Links, Tokens, Logs, KeepServices];

    /// <summary>The type whose UUIDs have this infix; null for types that this server does not keep.</summary>
    public static RecordType? OfUuid(string? uuid) => Uuids.Infix(uuid) is { } infix ? All.FirstOrDefault(type => type.Infix == infix) : null;

    private static Column[] Common() =>
    [
        new("uuid", Uuid) { IsWritable = true },
        new("owner_uuid", Uuid) { IsWritable = true },
        new("created_at", Time),
        new("modified_at", Time),
        new("modified_by_user_uuid", Uuid),
    ];

    private static Column[] Trash() =>
    [
        new("trash_at", Time) { IsWritable = true },
        new("delete_at", Time) { IsWritable = true },
        new("is_trashed", ColumnKind.Boolean) { IsWritable = true },
    ];

    private static Column[] Rights() =>
    [
        new("writable_by", ColumnKind.Array) { IsDerived = true },
        new("can_write", ColumnKind.Boolean) { IsDerived = true },
        new("can_manage", ColumnKind.Boolean) { IsDerived = true },
    ];
}
