using System.Text.Json.Nodes;
using KeepFs.Cli.Admin;

namespace KeepFs.Cli.Tests.Admin;

public sealed class RecordOutputTests
{
    [Fact]
    public async Task Table_shows_names_as_they_are_and_no_control_characters()
    {
        var text = await ListAsync(isJson: false, new JsonObject { ["uuid"] = "zzzzz-tpzed-000000000000000", ["username"] = "[red]\u001b[31m\nx", ["is_admin"] = true });

        Assert.Contains("[red] [31m x", text, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', text);
        Assert.Contains("yes", text, StringComparison.Ordinal);
        Assert.Equal(2, text.TrimEnd('\n').Split('\n').Length);
    }

    [Fact]
    public async Task Json_is_one_object_a_line()
    {
        var text = await ListAsync(isJson: true, new JsonObject { ["uuid"] = "a", ["name"] = "ü\n" }, new JsonObject { ["uuid"] = "b" });

        Assert.Equal(["{\"uuid\":\"a\",\"name\":\"ü\\n\"}", "{\"uuid\":\"b\"}", ""], text.Split('\n'));
    }

    [Fact]
    public async Task Lists_and_times_and_sizes_are_written_for_people()
    {
        var record = new JsonObject { ["scopes"] = new JsonArray("all", "GET /"), ["at"] = "2026-01-02T03:04:05.000006000Z", ["size"] = 1536 };
        using var to = new StringWriter();
        await new RecordOutput(to, isJson: false, isTerminal: false).WriteAsync(
            new[] { record }.ToAsyncEnumerable(), [RecordColumn.Of("scopes"), RecordColumn.Time("at", "at"), RecordColumn.Bytes("size", "size"), RecordColumn.Of("nothing")], CancellationToken.None);

        Assert.Contains("all, GET / 2026-01-02 03:04:05 1.5 KiB", to.ToString(), StringComparison.Ordinal);
    }

    private static async Task<string> ListAsync(bool isJson, params JsonObject[] records)
    {
        using var to = new StringWriter();
        await new RecordOutput(to, isJson, isTerminal: false).WriteAsync(records.ToAsyncEnumerable(), RecordKind.User.Columns, CancellationToken.None);
        return to.ToString();
    }
}
