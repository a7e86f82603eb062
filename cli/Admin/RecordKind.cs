using System.Text.Json.Nodes;

namespace KeepFs.Cli.Admin;

/// <summary>What a verb is about.</summary>
/// <param name="Noun">For messages.</param>
/// <param name="Type">Plural name in the API.</param>
/// <param name="NameAttribute">What people call it by.</param>
/// <param name="Columns">Of its table.</param>
internal sealed record RecordKind(string Noun, string Type, string NameAttribute, IReadOnlyList<RecordColumn> Columns)
{
    public bool HasTrash { get; init; }

    /// <summary>Which records of the type are meant; a new one each time, since JSON nodes have one parent.</summary>
    public Func<JsonArray>? Filter { get; init; }

    public static RecordKind User { get; } = new("user", "users", "username",
    [
        RecordColumn.Of("uuid"), RecordColumn.Of("username"), RecordColumn.Of("full_name", "name"), RecordColumn.Of("email"),
        RecordColumn.Flag("is_active", "active"), RecordColumn.Flag("is_admin", "admin"),
    ]);

    public static RecordKind Group { get; } = new("group", "groups", "name",
        [RecordColumn.Of("uuid"), RecordColumn.Of("name"), RecordColumn.Of("description"), RecordColumn.Flag("is_trashed", "trashed")])
    { HasTrash = true, Filter = () => new JsonArray("group_class", "=", "role") };

    public static RecordKind Project { get; } = new("project", "groups", "name",
    [
        RecordColumn.Of("uuid"), RecordColumn.Of("name"), RecordColumn.Of("owner_uuid", "owner"), RecordColumn.Time("modified_at", "modified"), RecordColumn.Flag("is_trashed", "trashed"),
    ])
    { HasTrash = true, Filter = () => new JsonArray("group_class", "in", new JsonArray("project", "filter")) };

    public static RecordKind Collection { get; } = new("collection", "collections", "name",
    [
        RecordColumn.Of("uuid"), RecordColumn.Of("name"), RecordColumn.Of("owner_uuid", "owner"), RecordColumn.Of("file_count", "files"), RecordColumn.Bytes("file_size_total", "size"),
        RecordColumn.Time("modified_at", "modified"), RecordColumn.Flag("is_trashed", "trashed"),
    ])
    { HasTrash = true };

    public static RecordKind Token { get; } = new("token", "api_client_authorizations", "uuid",
        [RecordColumn.Of("uuid"), RecordColumn.Of("owner_uuid", "owner"), RecordColumn.Of("scopes"), RecordColumn.Time("created_at", "created"), RecordColumn.Time("expires_at", "expires")]);

    public static RecordKind KeepService { get; } = new("Keep service", "keep_services", "service_host",
    [
        RecordColumn.Of("uuid"), RecordColumn.Of("service_host", "host"), RecordColumn.Of("service_port", "port"), RecordColumn.Flag("service_ssl_flag", "TLS"),
        RecordColumn.Of("service_type", "type"), RecordColumn.Flag("read_only", "read-only"),
    ]);
}
