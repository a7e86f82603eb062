using KeepFs.Catalog.Records;

namespace KeepFs.Catalog.Exchange;

/// <summary>Everything that an export holds, in the order of its lines.</summary>
internal static class ExchangeKinds
{
    public const string Head = "keepfs#catalogExport";
    public const string End = "keepfs#catalogExportEnd";

    /// <summary>Version of the form; a reader refuses a higher one.</summary>
    public const int Version = 1;

    public static ExchangeKind Tokens { get; } = Of(RecordTypes.Tokens);

    public static ExchangeKind DavProperties { get; } = new("keepfs#davProperty", new RecordType(
        "dav_properties", "dav_property", "", "DavProperty",
        new("uuid", ColumnKind.Uuid), new("path", ColumnKind.Text), new("namespace", ColumnKind.Text), new("name", ColumnKind.Text), new("value", ColumnKind.Text)))
    { Keys = ["uuid", "path", "namespace", "name"] };

    public static ExchangeKind DavLocks { get; } = new("keepfs#davLock", new RecordType(
        "dav_locks", "dav_lock", "", "DavLock",
        new("token", ColumnKind.Text), new("uuid", ColumnKind.Uuid), new("path", ColumnKind.Text), new("is_shared", ColumnKind.Boolean), new("is_infinite", ColumnKind.Boolean),
        new("holder", ColumnKind.Uuid), new("expires_at", ColumnKind.Time), new("owner", ColumnKind.Text)))
    { Order = "token", Keys = ["token"] };

    public static ExchangeKind Quotas { get; } = new("keepfs#quota", new RecordType(
        "quotas", "quota", "", "Quota",
        new("uuid", ColumnKind.Uuid), new("soft_bytes", ColumnKind.Integer), new("hard_bytes", ColumnKind.Integer), new("soft_collections", ColumnKind.Integer),
        new("hard_collections", ColumnKind.Integer), new("soft_since", ColumnKind.Time)))
    { Order = "uuid" };

    public static IReadOnlyList<ExchangeKind> All { get; } =
    [
        Of(RecordTypes.Users), Of(RecordTypes.Groups), Of(RecordTypes.Collections), Of(RecordTypes.Links), Tokens, Of(RecordTypes.Logs),
        Of(RecordTypes.KeepServices) with { Condition = "from_config = 0" }, DavProperties, DavLocks, Quotas,
    ];

    public static ExchangeKind? Find(string kind) => All.FirstOrDefault(known => known.Kind == kind);

    /// <summary>A path beside a collection's UUID, which is stored in a form of its own (<see cref="Dav.DavPath"/>).</summary>
    public static bool IsPath(ExchangeKind kind, string column) => column == "path" && (kind == DavProperties || kind == DavLocks);

    private static ExchangeKind Of(RecordType type) => new(type.Kind, type);
}
