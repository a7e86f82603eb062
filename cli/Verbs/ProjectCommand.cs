using System.CommandLine;
using System.Text.Json.Nodes;
using KeepFs.Cli.Admin;

namespace KeepFs.Cli.Verbs;

/// <summary><c>keepfs project</c>.</summary>
internal static class ProjectCommand
{
    public static Command Create() => new("project", "Show, make, share, trash and restore projects.")
    {
        RecordVerbs.List(RecordKind.Project), RecordVerbs.Show(RecordKind.Project), New(),
        RecordVerbs.Share(RecordKind.Project, "share", "Give a user or group rights on a project and what it holds."), RecordVerbs.Unshare(RecordKind.Project, "unshare", "End such rights."),
        RecordVerbs.Trash(RecordKind.Project), RecordVerbs.Restore(RecordKind.Project), StorageVerb.Create(RecordKind.Project),
    };

    private static Command New()
    {
        var name = new Argument<string>("NAME");
        var owner = new Option<string?>("--owner") { Description = "UUID of a project or user (or a user's name) that owns it (default: you)." };
        var description = new Option<string?>("--description");
        var json = RecordVerbs.Json();
        var command = new Command("create", "Make a project; prints the UUID.") { name, owner, description, json };
        command.SetAction((parsed, ct) => RecordVerbs.RunAsync(async api =>
        {
            var project = new JsonObject { ["name"] = parsed.GetRequiredValue(name), ["group_class"] = "project", ["description"] = parsed.GetValue(description) };
            if (parsed.GetValue(owner) is { } given)
            {
                project["owner_uuid"] = await RecordNames.FindPrincipalAsync(api, given, ct);
            }

            RecordOutput.Standard(parsed.GetValue(json)).WriteUuid(await api.SendAsync(HttpMethod.Post, RecordKind.Project.Type, new JsonObject { ["group"] = project }, ct));
        }));
        return command;
    }
}
