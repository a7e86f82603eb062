using System.CommandLine;
using System.Text.Json.Nodes;
using KeepFs.Cli.Admin;

namespace KeepFs.Cli.Verbs;

/// <summary><c>keepfs user</c>.</summary>
internal static class UserCommand
{
    public static Command Create() => new("user", "Show, make and change users.")
    {
        RecordVerbs.List(RecordKind.User), RecordVerbs.Show(RecordKind.User), New(), Change(), RecordVerbs.Delete(RecordKind.User, "delete", "Remove a user who owns nothing, with tokens and links."),
    };

    private static Command New()
    {
        var name = new Argument<string>("USERNAME");
        var (attributes, json) = (new Attributes(), RecordVerbs.Json());
        var withToken = new Option<bool>("--with-token") { Description = "Make a token, too, and print it instead of the UUID." };
        var command = new Command("create", "Make a user; prints the UUID.") { name, withToken, json };
        attributes.AddTo(command);
        command.SetAction((parsed, ct) => RecordVerbs.RunAsync(async api =>
        {
            var user = attributes.Read(parsed);
            user["username"] = parsed.GetRequiredValue(name);
            var output = RecordOutput.Standard(parsed.GetValue(json));
            var made = await api.SendAsync(HttpMethod.Post, RecordKind.User.Type, new JsonObject { ["user"] = user }, ct);
            if (parsed.GetValue(withToken))
            {
                TokenCommand.Write(output, await TokenCommand.IssueAsync(api, new JsonObject { ["owner_uuid"] = AdminApi.Text(made, "uuid") }, ct));
            }
            else
            {
                output.WriteUuid(made);
            }
        }));
        return command;
    }

    private static Command Change()
    {
        var which = RecordVerbs.Which(RecordKind.User);
        var (attributes, json) = (new Attributes(), RecordVerbs.Json());
        var name = new Option<string?>("--username") { Description = "The new name." };
        var command = new Command("update", "Change a user; only what is given changes.") { which, name, json };
        attributes.AddTo(command);
        command.SetAction((parsed, ct) => RecordVerbs.RunAsync(async api =>
        {
            var changes = attributes.Read(parsed);
            if (parsed.GetValue(name) is { } given)
            {
                changes["username"] = given;
            }

            var uuid = AdminApi.Text(await RecordNames.FindAsync(api, RecordKind.User, parsed.GetRequiredValue(which), includeTrash: false, ct), "uuid");
            RecordOutput.Standard(parsed.GetValue(json)).WriteUuid(await api.SendAsync(HttpMethod.Put, $"{RecordKind.User.Type}/{uuid}", new JsonObject { ["user"] = changes }, ct));
        }));
        return command;
    }

    /// <summary>The options that making and changing a user share.</summary>
    private sealed class Attributes
    {
        private readonly (Option<string?> Option, string Name)[] _texts =
        [
            (new("--email"), "email"), (new("--first-name"), "first_name"), (new("--last-name"), "last_name"),
        ];

        private readonly (Option<bool?> Option, string Name)[] _flags =
        [
            (new("--admin") { Description = "true or false: sees and changes everything." }, "is_admin"),
            (new("--active") { Description = "true or false: may do anything at all." }, "is_active"),
        ];

        public void AddTo(Command command)
        {
            Array.ForEach(_texts, pair => command.Add(pair.Option));
            Array.ForEach(_flags, pair => command.Add(pair.Option));
        }

        public JsonObject Read(ParseResult parsed)
        {
            var user = new JsonObject();
            foreach (var (option, name) in _texts)
            {
                if (parsed.GetValue(option) is { } text)
                {
                    user[name] = text;
                }
            }

            foreach (var (option, name) in _flags)
            {
                if (parsed.GetValue(option) is { } flag)
                {
                    user[name] = flag;
                }
            }

            return user;
        }
    }
}
