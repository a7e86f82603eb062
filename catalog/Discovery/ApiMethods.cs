using KeepFs.Catalog.Records;

namespace KeepFs.Catalog.Discovery;

/// <summary>The methods of every resource: what clients build their calls from (catalog-api.md 13).</summary>
internal static class ApiMethods
{
    private static readonly ApiParameter Uuid = new("uuid", "string", "UUID of the record.", "path");
    private static readonly ApiParameter Select = new("select", "array", "Attributes to return.");
    private static readonly ApiParameter EnsureUniqueName = new("ensure_unique_name", "boolean", "Change the name instead of failing when it is taken.", Default: "false");
    private static readonly ApiParameter IncludeTrash = new("include_trash", "boolean", "Include what is trashed.", Default: "false");
    private static readonly ApiParameter IncludeOldVersions = new("include_old_versions", "boolean", "Include past versions of collections.", Default: "false");

    private static readonly ApiParameter[] List =
    [
        new("filters", "array", "Conditions that all must hold."),
        new("where", "object", "Attributes and their values (legacy)."),
        new("order", "array", "Attributes to sort by, each with asc or desc."),
        Select,
        new("distinct", "boolean", "Return equal rows once.", Default: "false"),
        new("limit", "integer", "Most items to return.", Default: "100"),
        new("offset", "integer", "Items to skip.", Default: "0"),
        new("count", "string", "\"exact\" counts all matches, \"none\" does not.", Default: "exact"),
    ];

    private static readonly ApiParameter[] CollectionWrite =
    [
        new("replace_files", "object", "Target paths and where their content comes from."),
        new("replace_segments", "object", "Parts of blocks and where the same bytes are from now on."),
    ];

    private static readonly ApiParameter[] Contents =
    [
        .. List, IncludeTrash, IncludeOldVersions,
        new("include", "array", "References to return as well: owner_uuid."),
        new("recursive", "boolean", "Include what subprojects hold.", Default: "false"),
        new("exclude_home_project", "boolean", "Leave out what the caller owns directly.", Default: "false"),
    ];

    /// <summary>The methods of a record type.</summary>
    public static IEnumerable<ApiMethod> Of(RecordType type)
    {
        var (path, name) = (type.Table, type.Schema);
        ApiParameter[] trash = type.HasTrash ? [IncludeTrash] : [];
        ApiParameter[] versions = type == RecordTypes.Collections ? [IncludeOldVersions] : [];
        ApiParameter[] unique = type.HasTrash ? [EnsureUniqueName] : [];
        ApiParameter[] write = type == RecordTypes.Collections ? CollectionWrite : [];
        yield return new ApiMethod("get", "GET", path + "/{uuid}", name, null, [Uuid, Select, .. trash]);
        yield return new ApiMethod("list", "GET", path, name + "List", null, [.. List, .. trash, .. versions]);
        yield return new ApiMethod("create", "POST", path, name, type.Singular, [Select, .. unique, .. write]);
        if (type != RecordTypes.Logs)
        {
            yield return new ApiMethod("update", "PUT", path + "/{uuid}", name, type.Singular, [Uuid, Select, .. trash, .. write, .. Conditional(type)]);
            yield return new ApiMethod("delete", "DELETE", path + "/{uuid}", name, null, [Uuid]);
        }

        if (type.HasTrash)
        {
            yield return new ApiMethod("trash", "POST", path + "/{uuid}/trash", name, null, [Uuid]);
            yield return new ApiMethod("untrash", "POST", path + "/{uuid}/untrash", name, null, [Uuid, EnsureUniqueName]);
        }

        foreach (var method in Special(type))
        {
            yield return method;
        }
    }

    private static ApiParameter[] Conditional(RecordType type) => type != RecordTypes.Collections
        ? []
        : [new("if_portable_data_hash", "string", "Answer 412 and change nothing unless the collection still has this content (an extension of this server).")];

    private static ApiMethod[] Special(RecordType type)
    {
        if (type == RecordTypes.Groups)
        {
            return
            [
                new("contents", "GET", "groups/contents", "GroupList", null, [new("uuid", "string", "Project or user whose contents to list."), .. Contents]),
                new("shared", "GET", "groups/shared", "GroupList", null, [.. List, IncludeTrash, new("include", "array", "References to return as well: owner_uuid.")]),
            ];
        }

        if (type == RecordTypes.Users)
        {
            return [new("current", "GET", "users/current", "User", null, Select), new("system", "GET", "users/system", "User", null, Select)];
        }

        if (type == RecordTypes.KeepServices)
        {
            return [new("accessible", "GET", "keep_services/accessible", "KeepServiceList", null)];
        }

        if (type == RecordTypes.Tokens)
        {
            return
            [
                new("current", "GET", "api_client_authorizations/current", "ApiClientAuthorization", null, Select),
                new("create_system_auth", "POST", "api_client_authorizations/create_system_auth", "ApiClientAuthorization", null, new ApiParameter("scopes", "array", "What the token may do.")),
            ];
        }

        return type == RecordTypes.Links ? [new("get_permissions", "GET", "permissions/{uuid}", "LinkList", null, [Uuid, .. List])] : [];
    }
}
