using System.Text.Json.Nodes;

namespace KeepFs.Cli.Admin;

/// <summary>Finds records by UUID or by the name that people use.</summary>
internal static class RecordNames
{
    private const int UuidLength = 27;

    public static bool IsUuid(string text) => text.Length == UuidLength && text[5] == '-' && text[11] == '-';

    /// <summary>The one record that is meant.</summary>
    /// <exception cref="CommandException">There is none, or there are several.</exception>
    public static async Task<JsonObject> FindAsync(AdminApi api, RecordKind kind, string text, bool includeTrash, CancellationToken ct)
    {
        if (IsUuid(text))
        {
            return await api.FindAsync($"{kind.Type}/{text}{(includeTrash && kind.HasTrash ? "?include_trash=true" : "")}", ct)
                ?? throw new CommandException($"There is no {kind.Noun} {text}, or you may not see it{(kind.HasTrash && !includeTrash ? ", or it is in the trash" : "")}.");
        }

        var filters = new JsonArray(new JsonArray(kind.NameAttribute, "=", text));
        if (kind.Filter is { } filter)
        {
            filters.Add(filter());
        }

        var found = new List<JsonObject>();
        await foreach (var record in api.ListAsync(kind.Type, filters, includeTrash && kind.HasTrash ? "include_trash=true" : "", ct))
        {
            found.Add(record);
        }

        return found.Count switch
        {
            1 => found[0],
            0 => throw new CommandException($"There is no {kind.Noun} \"{text}\", or you may not see it."),
            _ => throw new CommandException($"There are {found.Count} {kind.Noun}s \"{text}\"; name one by its UUID: {string.Join(' ', found.Take(10).Select(record => AdminApi.Text(record, "uuid")))}"),
        };
    }

    /// <summary>A user by name, or a role by name; the UUID.</summary>
    public static async Task<string> FindPrincipalAsync(AdminApi api, string text, CancellationToken ct)
    {
        if (IsUuid(text))
        {
            return text;
        }

        var users = new JsonArray(new JsonArray(RecordKind.User.NameAttribute, "=", text));
        await foreach (var user in api.ListAsync(RecordKind.User.Type, users, "", ct))
        {
            return AdminApi.Text(user, "uuid");
        }

        return AdminApi.Text(await FindAsync(api, RecordKind.Group, text, includeTrash: false, ct), "uuid");
    }
}
