using System.CommandLine;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using KeepFs.Catalog.Exchange;
using KeepFs.Cli.Admin;

namespace KeepFs.Cli.Verbs;

/// <summary><c>keepfs catalog</c>: all records of a running catalogue out and in, and copies of its database (docs/catalog-export.md).</summary>
internal static class CatalogCommand
{
    private const string Path = CatalogExchange.Path;

    public static Command Create() => new("catalog", "Export, import and back up the catalogue, rebuild it from the volumes, and see who changed what (as an admin).")
    {
        Export(), Import(), Backup(), Checkpoint(), CatalogRebuildCommand.Create(), Audit(),
    };

    private static Command Export()
    {
        var file = new Argument<string>("FILE") { Description = "A new file, readable by you alone; - is standard output." };
        var command = new Command("export", "Write every record, token secrets included, one JSON object a line.") { file };
        command.SetAction((parsed, ct) => RecordVerbs.RunAsync(async api =>
        {
            var to = parsed.GetRequiredValue(file);
            if (to != "-")
            {
                FileTransfer.RequireFree(to);
            }

            using var response = await api.StreamAsync(HttpMethod.Get, Path + "/export", null, ct);
            await using var content = await response.Content.ReadAsStreamAsync(ct);
            if (to == "-")
            {
                await using var output = Console.OpenStandardOutput();
                await content.CopyToAsync(output, ct);
                return;
            }

            await FileTransfer.SaveAsync(to, content, static _ => { }, ct);
        }));
        return command;
    }

    private static Command Import()
    {
        var file = new Argument<string>("FILE") { Description = "What was exported, or records in the same form; - is standard input." };
        var replace = new Option<bool>("--replace") { Description = "Overwrite records that exist already; otherwise they are refused." };
        var skip = new Option<bool>("--skip-unknown") { Description = "Leave out kinds and attributes that this catalogue does not know; otherwise they are refused." };
        var json = RecordVerbs.Json();
        var command = new Command("import", "Take in records, all of them or none; a line that is wrong is named.") { file, replace, skip, json };
        command.SetAction((parsed, ct) => RecordVerbs.RunAsync(async api =>
        {
            var from = parsed.GetRequiredValue(file);
            await using var input = from == "-" ? Console.OpenStandardInput() : File.OpenRead(from);
            using var content = new StreamContent(input);
            content.Headers.ContentType = new MediaTypeHeaderValue(CatalogExchange.ContentType);
            var path = $"{Path}/import?replace={(parsed.GetValue(replace) ? "true" : "false")}&skip_unknown={(parsed.GetValue(skip) ? "true" : "false")}";
            using var response = await api.StreamAsync(HttpMethod.Post, path, content, ct);
            Report(await AdminApi.ReadAsync(response, ct), parsed.GetValue(json));
        }));
        return command;
    }

    private static Command Checkpoint()
    {
        var full = new Option<bool>("--full") { Description = "Write everything, not only what changed since the last one." };
        var json = RecordVerbs.Json();
        var command = new Command("checkpoint", "Store what the catalogue knows on the keepstores now, so that keepfs catalog rebuild finds it there. It happens by itself too (KeepFs.CheckpointInterval).") { full, json };
        command.SetAction((parsed, ct) => RecordVerbs.RunAsync(async api =>
        {
            using var response = await api.StreamAsync(HttpMethod.Post, $"{Path}/checkpoint?full={(parsed.GetValue(full) ? "true" : "false")}", null, ct);
            var made = await AdminApi.ReadAsync(response, ct);
            Console.WriteLine(parsed.GetValue(json)
                ? made.ToJsonString()
                : $"checkpoint {made["sequence"]}, {((bool)made["full"]! ? "full" : "what changed")}: {made["records"]} records, {made["stored_bytes"]} bytes in {made["blocks"]} blocks");
        }));
        return command;
    }

    private static Command Audit()
    {
        var what = new Option<string?>("--object") { Description = "Only changes of the record with this UUID." };
        var user = new Option<string?>("--user") { Description = "Only changes by this user (a UUID or a user's name)." };
        var since = new Option<string?>("--since") { Description = "Only changes from this time on, such as 2026-01-31T12:00." };
        var limit = new Option<int>("--limit") { Description = "At most so many.", DefaultValueFactory = _ => 100 };
        var json = RecordVerbs.Json();
        var command = new Command("audit", "Show who changed what, when and from where, newest first.") { what, user, since, limit, json };
        command.SetAction((parsed, ct) => RecordVerbs.RunAsync(async api =>
        {
            var query = $"keepfs/v1/audit?limit={parsed.GetValue(limit)}&object_uuid={parsed.GetValue(what)}&since={Uri.EscapeDataString(parsed.GetValue(since) ?? "")}"
                + (parsed.GetValue(user) is { } name ? $"&user_uuid={await RecordNames.FindPrincipalAsync(api, name, ct)}" : "");
            using var response = await api.StreamAsync(HttpMethod.Get, query, null, ct);
            var items = (await AdminApi.ReadAsync(response, ct))["items"]!.AsArray();
            await RecordOutput.Standard(parsed.GetValue(json)).WriteAsync(
                items.Select(item => item!.AsObject()).ToAsyncEnumerable(),
                [.. ((string[])["event_at", "event_type", "object_uuid", "user_uuid", "address", "token_uuid", "request_id"]).Select(column => RecordColumn.Of(column))], ct);
        }));
        return command;
    }

    private static Command Backup()
    {
        var file = new Argument<string>("FILE") { Description = "A new file, readable by you alone." };
        var command = new Command("backup", "Write a copy of the catalogue's database as of now, and verify it.") { file };
        command.SetAction((parsed, ct) => RecordVerbs.RunAsync(async api =>
        {
            var to = parsed.GetRequiredValue(file);
            FileTransfer.RequireFree(to);
            using var response = await api.StreamAsync(HttpMethod.Get, Path + "/backup", null, ct);
            await using var content = await response.Content.ReadAsStreamAsync(ct);
            var counts = response.Headers.TryGetValues(CatalogBackup.CountsHeader, out var values) ? values.Single() : "";
            await FileTransfer.SaveAsync(to, content, copy => Verify(copy, counts), ct);
            Console.WriteLine($"{to}: {new FileInfo(to).Length} bytes, verified: {counts}");
        }));
        return command;
    }

    private static void Verify(string copy, string counts)
    {
        CatalogBackup.Verify(copy);
        if (CatalogBackup.Counts(copy) is var found && found != counts)
        {
            throw new InvalidDataException($"the copy does not hold what the catalogue holds: {found} instead of {counts}");
        }
    }

    private static void Report(JsonObject summary, bool isJson)
    {
        if (isJson)
        {
            Console.WriteLine(summary.ToJsonString());
            return;
        }

        foreach (var what in (string[])["imported", "replaced", "kept", "skipped"])
        {
            foreach (var (type, count) in summary[what]!.AsObject())
            {
                Console.WriteLine($"{what,-8}  {type,-26} {count}");
            }
        }

        foreach (var warning in summary["warnings"]!.AsArray())
        {
            Console.Error.WriteLine($"keepfs: warning: {warning}");
        }
    }
}
