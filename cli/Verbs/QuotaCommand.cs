using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using KeepFs.Cli.Admin;

namespace KeepFs.Cli.Verbs;

/// <summary><c>keepfs quota</c>: how much users and projects may hold, and how much they do (decision 0038).</summary>
internal static class QuotaCommand
{
    private const string Path = "keepfs/v1/quotas";

    private static readonly RecordColumn[] Columns =
    [
        RecordColumn.Of("uuid"), RecordColumn.Bytes("bytes", "bytes"), RecordColumn.Bytes("soft_bytes", "soft"), RecordColumn.Bytes("hard_bytes", "hard"),
        RecordColumn.Of("collections"), RecordColumn.Of("soft_collections", "soft"), RecordColumn.Of("hard_collections", "hard"), RecordColumn.Time("soft_since", "above soft since"),
    ];

    public static Command Create() => new("quota", "Show and set how much users and projects may hold.") { List(), Show(), Set(), Remove() };

    private static Command List()
    {
        var json = RecordVerbs.Json();
        var command = new Command("list", "All quotas and what counts against them (as an admin).") { json };
        command.SetAction((parsed, ct) => RecordVerbs.RunAsync(async api =>
        {
            var items = (await SendAsync(api, HttpMethod.Get, Path, null, ct))["items"]!.AsArray();
            await RecordOutput.Standard(parsed.GetValue(json)).WriteAsync(items.Select(item => item!.AsObject()).ToAsyncEnumerable(), Columns, ct);
        }));
        return command;
    }

    private static Command Show()
    {
        var (who, json) = (Who(), RecordVerbs.Json());
        var command = new Command("show", "What a user or project holds, its quota, and what is left by all quotas around it.") { who, json };
        command.SetAction((parsed, ct) => RecordVerbs.RunAsync(async api =>
            RecordOutput.Standard(parsed.GetValue(json)).Write(await SendAsync(api, HttpMethod.Get, "keepfs/v1/usage/" + await FindAsync(api, parsed.GetRequiredValue(who), ct), null, ct))));
        return command;
    }

    private static Command Set()
    {
        var (who, json) = (Who(), RecordVerbs.Json());
        var softBytes = new Option<string?>("--soft-bytes") { Description = "May be passed for a time (KeepFs.QuotaGrace); such as 500G." };
        var hardBytes = new Option<string?>("--hard-bytes") { Description = "Never passed by a save; such as 1T." };
        var softCollections = new Option<long?>("--soft-collections");
        var hardCollections = new Option<long?>("--hard-collections");
        var command = new Command("set", "Set the limits of a user or project, in place of those before; what is left out is not limited (as an admin).") { who, softBytes, hardBytes, softCollections, hardCollections, json };
        command.SetAction((parsed, ct) => RecordVerbs.RunAsync(async api =>
        {
            var limits = new JsonObject
            {
                ["soft_bytes"] = Bytes(parsed.GetValue(softBytes)),
                ["hard_bytes"] = Bytes(parsed.GetValue(hardBytes)),
                ["soft_collections"] = parsed.GetValue(softCollections),
                ["hard_collections"] = parsed.GetValue(hardCollections),
            };
            RecordOutput.Standard(parsed.GetValue(json)).Write(await SendAsync(api, HttpMethod.Put, $"{Path}/{await FindAsync(api, parsed.GetRequiredValue(who), ct)}", limits, ct));
        }));
        return command;
    }

    private static Command Remove()
    {
        var who = Who();
        var command = new Command("remove", "Let a user or project hold as much as it likes (as an admin).") { who };
        command.SetAction((parsed, ct) => RecordVerbs.RunAsync(async api => await SendAsync(api, HttpMethod.Delete, $"{Path}/{await FindAsync(api, parsed.GetRequiredValue(who), ct)}", null, ct)));
        return command;
    }

    private static Argument<string> Who() => new("WHO") { Description = "A user's name, or the UUID of a user or project." };

    private static async Task<string> FindAsync(AdminApi api, string who, CancellationToken ct) =>
        AdminApi.Text(RecordNames.IsUuid(who) ? new JsonObject { ["uuid"] = who } : await RecordNames.FindAsync(api, RecordKind.User, who, includeTrash: false, ct), "uuid");

    private static async Task<JsonObject> SendAsync(AdminApi api, HttpMethod method, string path, JsonObject? body, CancellationToken ct)
    {
        using var content = body is null ? null : new StringContent(body.ToJsonString(), System.Text.Encoding.UTF8, "application/json");
        using var response = await api.StreamAsync(method, path, content, ct);
        return await AdminApi.ReadAsync(response, ct);
    }

    /// <summary>A number with K, M, G or T for powers of 1024.</summary>
    private static long? Bytes(string? text)
    {
        if (text is null)
        {
            return null;
        }

        var power = "KMGT".IndexOf(char.ToUpperInvariant(text.LastOrDefault()), StringComparison.Ordinal) + 1;
        return decimal.TryParse(text[..(power > 0 ? ^1 : ^0)], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number <= (long.MaxValue >> (10 * power))
            ? (long)(number * (1L << (10 * power)))
            : throw new CommandException($"\"{text}\" is no number of bytes; write it as 500G or 1.5T.", 2);
    }
}
