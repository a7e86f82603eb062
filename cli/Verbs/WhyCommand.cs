using System.CommandLine;
using KeepFs.Cli.Admin;

namespace KeepFs.Cli.Verbs;

/// <summary><c>keepfs why</c>: which collections and versions hold a block (decision 0039).</summary>
internal static class WhyCommand
{
    public static Command Create()
    {
        var hash = new Argument<string>("HASH") { Description = "A block: its 32 hexadecimal digits, or a locator." };
        var json = RecordVerbs.Json();
        var command = new Command("why", "Show which collections use a block, past versions and the trash included (admins see all, others what they may read).") { hash, json };
        command.SetAction((parsed, ct) => RecordVerbs.RunAsync(async api =>
        {
            using var response = await api.StreamAsync(HttpMethod.Get, "keepfs/v1/blocks/" + Uri.EscapeDataString(parsed.GetRequiredValue(hash).Split('+')[0]), null, ct);
            var answer = await AdminApi.ReadAsync(response, ct);
            await RecordOutput.Standard(parsed.GetValue(json)).WriteAsync(
                answer["items"]!.AsArray().Select(item => item!.AsObject()).ToAsyncEnumerable(),
                [
                    RecordColumn.Of("uuid"), RecordColumn.Of("name"), RecordColumn.Of("owner_uuid", "owner"), RecordColumn.Of("first_version", "from version"),
                    RecordColumn.Of("last_version", "to"), RecordColumn.Flag("is_current", "current"), RecordColumn.Flag("is_trashed", "trashed"),
                ], ct);
            if (answer["more"]?.ToString() == "true")
            {
                Console.Error.WriteLine("keepfs: more collections use it; these are the first");
            }
        }));
        return command;
    }
}
