using System.CommandLine;
using System.Text.Json.Nodes;

namespace KeepFs.Cli.Admin;

/// <summary>The verbs that are the same for several kinds of records.</summary>
internal static class RecordVerbs
{
    private static readonly string[] Levels = ["can_read", "can_write", "can_manage"];

    /// <summary>The option that every verb has.</summary>
    public static Option<bool> Json() => new("--json") { Description = "JSON, one object a line." };

    /// <summary>Runs with a connection that is closed afterwards.</summary>
    public static async Task<int> RunAsync(Func<AdminApi, Task> work)
    {
        using var api = AdminApi.Open();
        await work(api);
        return 0;
    }

    public static Command List(RecordKind kind)
    {
        var owner = new Option<string?>("--owner") { Description = "Only those that this user or project owns (a UUID or a user's name)." };
        var trashed = new Option<bool>("--trashed") { Description = "Only those in the trash." };
        var json = Json();
        var command = new Command("list", $"List the {kind.Noun}s that you may see.") { json };
        if (kind.HasTrash)
        {
            command.Add(owner);
            command.Add(trashed);
        }

        command.SetAction((parsed, ct) => RunAsync(async api =>
        {
            var filters = kind.Filter is { } filter ? new JsonArray(filter()) : [];
            if (kind.HasTrash && parsed.GetValue(owner) is { } name)
            {
                filters.Add(new JsonArray("owner_uuid", "=", await RecordNames.FindPrincipalAsync(api, name, ct)));
            }

            var showsTrash = kind.HasTrash && parsed.GetValue(trashed);
            if (showsTrash)
            {
                filters.Add(new JsonArray("is_trashed", "=", true));
            }

            var records = kind == RecordKind.Token ? Tokens(api, ct) : api.ListAsync(kind.Type, filters, showsTrash ? "include_trash=true" : "", ct);
            await RecordOutput.Standard(parsed.GetValue(json)).WriteAsync(records, kind.Columns, ct);
        }));
        return command;
    }

    public static Command Show(RecordKind kind)
    {
        var (which, json) = (Which(kind), Json());
        var command = new Command("show", $"Show a {kind.Noun}, and (to who manages it) with whom it is shared.") { which, json };
        command.SetAction((parsed, ct) => RunAsync(async api =>
        {
            var record = await RecordNames.FindAsync(api, kind, parsed.GetRequiredValue(which), includeTrash: true, ct);
            record.Remove("manifest_text");
            var output = RecordOutput.Standard(parsed.GetValue(json));
            output.Write(record);
            if (!output.IsJson && await api.FindAllowedAsync($"permissions/{AdminApi.Text(record, "uuid")}", ct) is { } permissions && permissions["items"] is JsonArray { Count: > 0 } links)
            {
                await output.WriteAsync(links.Select(link => link!.AsObject()).ToAsyncEnumerable(), [RecordColumn.Of("tail_uuid", "shared with"), RecordColumn.Of("name", "level"), RecordColumn.Of("uuid", "link")], ct);
            }
        }));
        return command;
    }

    /// <summary>To the trash and back.</summary>
    public static Command Move(RecordKind kind, string verb, string action, string description)
    {
        var (which, json) = (Which(kind), Json());
        var command = new Command(verb, description) { which, json };
        command.SetAction((parsed, ct) => RunAsync(async api =>
        {
            var record = await RecordNames.FindAsync(api, kind, parsed.GetRequiredValue(which), includeTrash: true, ct);
            var answer = await api.SendAsync(HttpMethod.Post, $"{kind.Type}/{AdminApi.Text(record, "uuid")}/{action}", null, ct);
            answer.Remove("manifest_text");
            RecordOutput.Standard(parsed.GetValue(json)).WriteUuid(answer);
        }));
        return command;
    }

    public static Command Trash(RecordKind kind) => Move(kind, "trash", "trash", $"Move a {kind.Noun} to the trash, from where it can be restored until its time is over.");

    public static Command Restore(RecordKind kind) => Move(kind, "restore", "untrash", $"Take a {kind.Noun} out of the trash.");

    public static Command Delete(RecordKind kind, string verb, string description)
    {
        var (which, json) = (Which(kind), Json());
        var command = new Command(verb, description) { which, json };
        command.SetAction((parsed, ct) => RunAsync(async api =>
        {
            var record = await RecordNames.FindAsync(api, kind, parsed.GetRequiredValue(which), includeTrash: true, ct);
            RecordOutput.Standard(parsed.GetValue(json)).WriteUuid(await api.SendAsync(HttpMethod.Delete, $"{kind.Type}/{AdminApi.Text(record, "uuid")}", null, ct));
        }));
        return command;
    }

    /// <summary>Gives a user or a group rights on a record; the verb for groups is "add".</summary>
    public static Command Share(RecordKind kind, string verb, string description)
    {
        var (which, who, json) = (Which(kind), Who(), Json());
        var level = new Option<string>("--level") { Description = "can_read, can_write or can_manage.", DefaultValueFactory = _ => Levels[0] };
        level.AcceptOnlyFromAmong(Levels);
        var command = new Command(verb, description) { which, who, level, json };
        command.SetAction((parsed, ct) => RunAsync(async api =>
        {
            var head = AdminApi.Text(await RecordNames.FindAsync(api, kind, parsed.GetRequiredValue(which), includeTrash: false, ct), "uuid");
            var tail = await RecordNames.FindPrincipalAsync(api, parsed.GetRequiredValue(who), ct);
            RecordOutput.Standard(parsed.GetValue(json)).WriteUuid(await Sharing.SetAsync(api, head, tail, parsed.GetRequiredValue(level), ct));
        }));
        return command;
    }

    public static Command Unshare(RecordKind kind, string verb, string description)
    {
        var (which, who) = (Which(kind), Who());
        var command = new Command(verb, description) { which, who };
        command.SetAction((parsed, ct) => RunAsync(async api =>
        {
            var head = AdminApi.Text(await RecordNames.FindAsync(api, kind, parsed.GetRequiredValue(which), includeTrash: false, ct), "uuid");
            var tail = await RecordNames.FindPrincipalAsync(api, parsed.GetRequiredValue(who), ct);
            if (!await Sharing.EndAsync(api, head, tail, ct))
            {
                throw new CommandException($"{head} is not shared with {tail}.");
            }
        }));
        return command;
    }

    public static Argument<string> Which(RecordKind kind) => new(kind.Noun.Replace(' ', '-').ToUpperInvariant()) { Description = $"UUID or {kind.NameAttribute}." };

    private static Argument<string> Who() => new("WHO") { Description = "A user's name, a group's name or a UUID." };

    // Their list takes hardly any filter (catalog-api.md 8), so it is paged by offset.
    private static async IAsyncEnumerable<JsonObject> Tokens(AdminApi api, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        const int Page = 1000;
        for (var offset = 0; ; offset += Page)
        {
            var items = (await api.SendAsync(HttpMethod.Get, $"{RecordKind.Token.Type}?order=uuid&count=none&limit={Page}&offset={offset}", null, ct))["items"]!.AsArray();
            foreach (var item in items)
            {
                yield return item!.AsObject();
            }

            if (items.Count < Page)
            {
                yield break;
            }
        }
    }
}
