using System.CommandLine;
using System.Text.Json.Nodes;
using KeepFs.Cli.Admin;

namespace KeepFs.Cli.Verbs;

/// <summary><c>keepfs collection</c>; their files are the business of put, get and mount.</summary>
internal static class CollectionCommand
{
    public static Command Create() => new("collection", "Show, make, share, trash and restore collections.")
    {
        RecordVerbs.List(RecordKind.Collection), RecordVerbs.Show(RecordKind.Collection), New(),
        RecordVerbs.Share(RecordKind.Collection, "share", "Give a user or group rights on a collection."), RecordVerbs.Unshare(RecordKind.Collection, "unshare", "End such rights."),
        RecordVerbs.Trash(RecordKind.Collection), RecordVerbs.Restore(RecordKind.Collection), StorageVerb.Create(RecordKind.Collection),
    };

    private static Command New()
    {
        var name = new Argument<string>("NAME");
        var owner = new Option<string?>("--owner") { Description = "UUID of a project or user (or a user's name) that owns it (default: you)." };
        var json = RecordVerbs.Json();
        var command = new Command("create", "Make an empty collection; prints the UUID.") { name, owner, json };
        command.SetAction((parsed, ct) => RecordVerbs.RunAsync(async api =>
        {
            var collection = new JsonObject { ["name"] = parsed.GetRequiredValue(name), ["manifest_text"] = "" };
            if (parsed.GetValue(owner) is { } given)
            {
                collection["owner_uuid"] = await RecordNames.FindPrincipalAsync(api, given, ct);
            }

            RecordOutput.Standard(parsed.GetValue(json)).WriteUuid(await api.SendAsync(HttpMethod.Post, RecordKind.Collection.Type, new JsonObject { ["collection"] = collection }, ct));
        }));
        return command;
    }
}
