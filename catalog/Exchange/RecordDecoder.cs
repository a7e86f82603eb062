using System.Text.Json;
using KeepFs.Catalog.Collections;
using KeepFs.Catalog.Dav;
using KeepFs.Catalog.Links;
using KeepFs.Catalog.Permissions;
using KeepFs.Catalog.Records;
using KeepFs.Catalog.Requests;
using KeepFs.Catalog.Tokens;
using KeepFs.Engine.Manifests;

namespace KeepFs.Catalog.Exchange;

/// <summary>
/// Turns a line into the values of a row, with defaults for what it leaves out. What is wrong with a line is an <see cref="ApiException"/> that does not
/// know the line's number. Immutable.
/// </summary>
internal sealed class RecordDecoder(CatalogContext catalog, bool skipsUnknown)
{
    /// <summary>Attributes that records of Arvados have and that are computed here, or that this catalogue has no use for.</summary>
    private static readonly HashSet<string> Ignored = new(StringComparer.Ordinal)
    {
        "kind", "etag", "href", "self_link", "id", "modified_by_client_uuid", "file_names", "user_id", "api_client_id", "default_owner_uuid", "refresh_token", "refreshes_at",
        "redirect_to_user_uuid",
    };

    private readonly TokenSeal _seal = new(catalog.Config.SystemRootToken);

    /// <summary>The values by column.</summary>
    /// <param name="kind">What the line is.</param>
    /// <param name="line">The object.</param>
    /// <param name="now">For records without times.</param>
    public Dictionary<string, object?> Decode(ExchangeKind kind, JsonElement line, DateTimeOffset now)
    {
        var row = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (var property in line.EnumerateObject())
        {
            if (kind.Columns.FirstOrDefault(column => column.Name == property.Name) is { } column)
            {
                row[column.Name] = Value(kind, column, property.Value);
            }
            else if (!IsUnimportant(kind, property))
            {
                throw ApiException.Invalid($"{kind.Kind} has no attribute '{property.Name}' here; --skip-unknown (skip_unknown=true) leaves such attributes out");
            }
        }

        if (kind == ExchangeKinds.Quotas)
        {
            return Uuids.IsUser(row.GetValueOrDefault("uuid") as string) || Uuids.IsGroup(row.GetValueOrDefault("uuid") as string)
                ? row
                : throw ApiException.Invalid($"uuid '{row.GetValueOrDefault("uuid")}' must be that of a user or project");
        }

        if (kind == ExchangeKinds.DavProperties || kind == ExchangeKinds.DavLocks)
        {
            CompleteDav(kind, row);
            return row;
        }

        CompleteCommon(kind, row, Timestamp.Format(Timestamp.Truncate(now)));
        Complete(kind.Type, row, line, Timestamp.Truncate(now));
        return row;
    }

    private bool IsUnimportant(ExchangeKind kind, JsonProperty property) =>
        Ignored.Contains(property.Name) || kind.Type.Find(property.Name) is { IsDerived: true } || skipsUnknown
        || (kind == ExchangeKinds.Tokens && property.Name is "secret_hash" or "salted_hash")
        || property.Value.ValueKind == JsonValueKind.Null;

    // People's names and what WebDAV clients keep are stored as they came; other empty text is none.
    private static object? Value(ExchangeKind kind, Column column, JsonElement value) =>
        value.ValueKind == JsonValueKind.String && column.Kind == ColumnKind.Text
        && (kind.Type.Infix.Length == 0 || column.Name is "full_name" or "first_name" or "last_name") && value.ValueEquals("")
            ? ""
            : AttributeSet.Decode(column, value);

    private void CompleteCommon(ExchangeKind kind, Dictionary<string, object?> row, string now)
    {
        if (row.GetValueOrDefault("uuid") is not string uuid || Uuids.Infix(uuid) != kind.Type.Infix)
        {
            throw ApiException.Invalid($"uuid '{row.GetValueOrDefault("uuid")}' is not the UUID of a {kind.Type.Singular}: those are CCCCC-{kind.Type.Infix}-XXXXXXXXXXXXXXX");
        }

        Default(row, "owner_uuid", catalog.Uuids.SystemUser);
        foreach (var (name, value) in row)
        {
            if (kind.Type.Find(name) is { Kind: ColumnKind.Uuid } && value is string other && !Uuids.IsUuid(other))
            {
                throw ApiException.Invalid($"{name} '{other}' is not a UUID");
            }
        }

        Default(row, "created_at", now);
        row.TryAdd("modified_at", row["created_at"]);
    }

    private void Complete(RecordType type, Dictionary<string, object?> row, JsonElement line, DateTimeOffset now)
    {
        if (type.HasTrash)
        {
            CompleteTrash(row, Timestamp.Format(now));
        }

        if (type.Find("properties") is not null)
        {
            Default(row, "properties", "{}");
        }

        if (type == RecordTypes.Users)
        {
            Default(row, "prefs", "{}");
            Default(row, "is_active", 0L);
            Default(row, "is_admin", 0L);
            row.TryAdd("full_name", $"{row.GetValueOrDefault("first_name")} {row.GetValueOrDefault("last_name")}".Trim());
        }
        else if (type == RecordTypes.Groups)
        {
            Default(row, "name", row["uuid"]!);
            if (row.GetValueOrDefault("group_class") is not ("project" or "role" or "filter"))
            {
                throw ApiException.Invalid($"group_class '{row.GetValueOrDefault("group_class")}' must be project, role or filter");
            }
        }
        else if (type == RecordTypes.Collections)
        {
            CompleteCollection(row);
        }
        else if (type == RecordTypes.Links)
        {
            RequireLink(row);
        }
        else if (type == RecordTypes.Tokens)
        {
            Default(row, "scopes", "[\"all\"]");
            CompleteSecret(row, line);
        }
        else if (type == RecordTypes.KeepServices)
        {
            Default(row, "service_ssl_flag", 0L);
            Default(row, "service_type", "disk");
            Default(row, "read_only", 0L);
        }
    }

    private static void CompleteTrash(Dictionary<string, object?> row, string now)
    {
        var (trashAt, deleteAt) = (row.GetValueOrDefault("trash_at") as string, row.GetValueOrDefault("delete_at") as string);
        if (trashAt is null != deleteAt is null || string.CompareOrdinal(deleteAt, trashAt) < 0)
        {
            throw ApiException.Invalid("trash_at and delete_at must be given both, delete_at not before trash_at, or neither");
        }

        Default(row, "is_trashed", trashAt is not null && string.CompareOrdinal(trashAt, now) <= 0 ? 1L : 0L);
    }

    private void CompleteCollection(Dictionary<string, object?> row)
    {
        var content = CollectionContent.Of(row.GetValueOrDefault("manifest_text") as byte[] ?? []);
        if (row.GetValueOrDefault("portable_data_hash") is string hash && !PortableDataHash.Matches(hash, content.PortableDataHash))
        {
            throw ApiException.Invalid($"portable_data_hash {hash} does not match manifest_text, whose hash is {content.PortableDataHash}");
        }

        row["manifest_text"] = content.Stored;
        row["portable_data_hash"] = content.PortableDataHash;
        row["file_count"] = content.FileCount;
        row["file_size_total"] = content.TotalBytes;
        row["file_names"] = content.FileNames;
        Default(row, "version", 1L);
        Default(row, "current_version_uuid", row["uuid"]!);
        Default(row, "preserve_version", 0L);
        Default(row, "storage_classes_confirmed", "[]");
        if (row.GetValueOrDefault("storage_classes_desired") is null or "[]")
        {
            row["storage_classes_desired"] = catalog.DefaultStorageClassesJson;
        }
    }

    private static void RequireLink(Dictionary<string, object?> row)
    {
        if (row.GetValueOrDefault("link_class") is not string linkClass)
        {
            throw ApiException.Invalid("link_class must be given");
        }

        if (linkClass != "permission")
        {
            return;
        }

        if (row.GetValueOrDefault("name") is not string name || !(PermissionLinks.IsLevel(name) || name == "can_login"))
        {
            throw ApiException.Invalid($"name '{row.GetValueOrDefault("name")}' of a permission link must be can_read, can_write, can_manage or can_login");
        }

        var tail = row.GetValueOrDefault("tail_uuid") as string;
        if (!(Uuids.IsUser(tail) || Uuids.IsGroup(tail)) || row.GetValueOrDefault("head_uuid") is null)
        {
            throw ApiException.Invalid("a permission link needs a user or role as tail_uuid, and a head_uuid");
        }
    }

    private void CompleteSecret(Dictionary<string, object?> row, JsonElement line)
    {
        var uuid = (string)row["uuid"]!;
        if (!Uuids.IsUser((string)row["owner_uuid"]!))
        {
            throw ApiException.Invalid($"owner_uuid '{row["owner_uuid"]}' of a token must be a user");
        }

        if (Text(line, "api_token") is { Length: > 0 } token)
        {
            var secret = TokenSecrets.Parse(token).Secret;
            row["secret_hash"] = TokenSecrets.Hash(secret);
            row["salted_hash"] = TokenSecrets.SaltedHash(secret, catalog.Uuids.ClusterId);
            row["sealed_secret"] = _seal.Seal(uuid, secret);
            return;
        }

        row["secret_hash"] = HashOf(line, "secret_hash");
        row["salted_hash"] = HashOf(line, "salted_hash");
    }

    private static string HashOf(JsonElement line, string name) => Text(line, name) is { Length: 64 } hash && hash.All(char.IsAsciiHexDigitLower)
        ? hash
        : throw ApiException.Invalid("a token needs its secret in api_token, or secret_hash and salted_hash of 64 hex digits");

    private static void CompleteDav(ExchangeKind kind, Dictionary<string, object?> row)
    {
        foreach (var column in kind.Columns)
        {
            if (column.Name != "owner" && row.GetValueOrDefault(column.Name) is null)
            {
                throw ApiException.Invalid($"{kind.Kind}: {column.Name} must be given");
            }
        }

        if (Uuids.Infix((string)row["uuid"]!) is null)
        {
            throw ApiException.Invalid($"uuid '{row["uuid"]}' is not a UUID");
        }

        row["path"] = DavPath.Key((string)row["path"]!);
    }

    private static string? Text(JsonElement line, string name) =>
        line.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static void Default(Dictionary<string, object?> row, string name, object value)
    {
        if (row.GetValueOrDefault(name) is null)
        {
            row[name] = value;
        }
    }
}
