using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using KeepFs.Cli.Admin;

namespace KeepFs.Cli.Verbs;

/// <summary><c>keepfs token</c>.</summary>
internal static class TokenCommand
{
    public static Command Create() => new("token", "Show, issue and revoke tokens.")
    {
        RecordVerbs.List(RecordKind.Token), New(), RecordVerbs.Delete(RecordKind.Token, "revoke", "End a token at once."),
    };

    /// <summary>Issues a token; the answer holds its secret, this once.</summary>
    public static Task<JsonObject> IssueAsync(AdminApi api, JsonObject attributes, CancellationToken ct) =>
        api.SendAsync(HttpMethod.Post, RecordKind.Token.Type, new JsonObject { ["api_client_authorization"] = attributes }, ct);

    /// <summary>The token in the form in which clients take it.</summary>
    public static void Write(RecordOutput output, JsonObject token)
    {
        if (output.IsJson)
        {
            output.WriteUuid(token);
        }
        else
        {
            Console.WriteLine($"v2/{AdminApi.Text(token, "uuid")}/{AdminApi.Text(token, "api_token")}");
        }
    }

    private static Command New()
    {
        var user = new Option<string?>("--user") { Description = "Whose token it is, by name or UUID (default: yours; another's only for admins)." };
        var expires = new Option<double?>("--expires-in-hours") { Description = "How long it is good for (default: as long as the cluster allows)." };
        var scopes = new Option<string[]>("--scope") { Description = "What it may be used for, such as \"GET /arvados/v1/collections/\"; repeat it for more (default: everything).", Arity = ArgumentArity.OneOrMore };
        var json = RecordVerbs.Json();
        var command = new Command("create", "Issue a token and print it, this once.") { user, expires, scopes, json };
        command.SetAction((parsed, ct) => RecordVerbs.RunAsync(async api =>
        {
            var token = new JsonObject();
            if (parsed.GetValue(user) is { } name)
            {
                token["owner_uuid"] = AdminApi.Text(await RecordNames.FindAsync(api, RecordKind.User, name, includeTrash: false, ct), "uuid");
            }

            if (parsed.GetValue(expires) is { } hours)
            {
                token["expires_at"] = TimeProvider.System.GetUtcNow().AddHours(hours).ToString("O", CultureInfo.InvariantCulture);
            }

            if (parsed.GetValue(scopes) is { Length: > 0 } given)
            {
                token["scopes"] = new JsonArray([.. given.Select(scope => JsonValue.Create(scope))]);
            }

            Write(RecordOutput.Standard(parsed.GetValue(json)), await IssueAsync(api, token, ct));
        }));
        return command;
    }
}
