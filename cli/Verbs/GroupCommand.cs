using System.CommandLine;
using System.Text.Json.Nodes;
using KeepFs.Cli.Admin;

namespace KeepFs.Cli.Verbs;

/// <summary><c>keepfs group</c>: roles, which users belong to and with which things are shared.</summary>
internal static class GroupCommand
{
    public static Command Create() => new("group", "Show and make groups of users (roles).")
    {
        RecordVerbs.List(RecordKind.Group), RecordVerbs.Show(RecordKind.Group), New(), Member("add", "Make a user a member.", AddAsync), Member("remove", "End a membership.", RemoveAsync),
        RecordVerbs.Share(RecordKind.Group, "share", "Let somebody see (can_read) or administer (can_manage) the group itself."), RecordVerbs.Trash(RecordKind.Group), RecordVerbs.Restore(RecordKind.Group),
    };

    private static Command New()
    {
        var name = new Argument<string>("NAME");
        var description = new Option<string?>("--description");
        var json = RecordVerbs.Json();
        var command = new Command("create", "Make a group; prints the UUID.") { name, description, json };
        command.SetAction((parsed, ct) => RecordVerbs.RunAsync(async api =>
        {
            var group = new JsonObject { ["name"] = parsed.GetRequiredValue(name), ["group_class"] = "role", ["description"] = parsed.GetValue(description) };
            RecordOutput.Standard(parsed.GetValue(json)).WriteUuid(await api.SendAsync(HttpMethod.Post, RecordKind.Group.Type, new JsonObject { ["group"] = group }, ct));
        }));
        return command;
    }

    private static Command Member(string verb, string description, Func<AdminApi, string, string, CancellationToken, Task> change)
    {
        var which = RecordVerbs.Which(RecordKind.Group);
        var user = RecordVerbs.Which(RecordKind.User);
        var command = new Command(verb, description) { which, user };
        command.SetAction((parsed, ct) => RecordVerbs.RunAsync(async api =>
        {
            var group = await RecordNames.FindAsync(api, RecordKind.Group, parsed.GetRequiredValue(which), includeTrash: false, ct);
            var member = await RecordNames.FindAsync(api, RecordKind.User, parsed.GetRequiredValue(user), includeTrash: false, ct);
            await change(api, AdminApi.Text(group, "uuid"), AdminApi.Text(member, "uuid"), ct);
        }));
        return command;
    }

    // can_write, so that members reach what the group reaches at the group's own level.
    private static Task AddAsync(AdminApi api, string group, string user, CancellationToken ct) => Sharing.SetAsync(api, group, user, "can_write", ct);

    private static async Task RemoveAsync(AdminApi api, string group, string user, CancellationToken ct)
    {
        if (!await Sharing.EndAsync(api, group, user, ct))
        {
            throw new CommandException($"{user} is not a member of {group}.");
        }
    }
}
