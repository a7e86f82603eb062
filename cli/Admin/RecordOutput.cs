using System.Text.Json;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace KeepFs.Cli.Admin;

/// <summary>Records for people, as tables, or for scripts, as one JSON object a line.</summary>
internal sealed class RecordOutput(TextWriter to, bool isJson, bool isTerminal)
{
    /// <summary>Columns that no wrapping may cut when nobody looks at them.</summary>
    private const int UnlimitedWidth = 4096;

    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public bool IsJson => isJson;

    /// <summary>On standard output.</summary>
    public static RecordOutput Standard(bool isJson) => new(Console.Out, isJson, !Console.IsOutputRedirected);

    /// <summary>A table with one row for each record.</summary>
    public async Task WriteAsync(IAsyncEnumerable<JsonObject> records, IReadOnlyList<RecordColumn> columns, CancellationToken ct)
    {
        if (isJson)
        {
            await foreach (var record in records.WithCancellation(ct))
            {
                WriteJson(record);
            }

            return;
        }

        var table = NewTable();
        foreach (var column in columns)
        {
            table.AddColumn(new TableColumn(column.Title).NoWrap());
        }

        await foreach (var record in records.WithCancellation(ct))
        {
            table.AddRow([.. columns.Select(column => Cell(column.Value(record)))]);
        }

        Write(table);
    }

    /// <summary>One record with all that it says.</summary>
    public void Write(JsonObject record)
    {
        if (isJson)
        {
            WriteJson(record);
            return;
        }

        var table = NewTable().HideHeaders().AddColumn(new TableColumn("").NoWrap()).AddColumn(new TableColumn(""));
        foreach (var (name, value) in record.Where(pair => pair.Value is not null && pair.Key is not ("kind" or "etag" or "manifest_text")))
        {
            table.AddRow(Cell(name), Cell(value is JsonObject or JsonArray ? value.ToJsonString(Relaxed) : value!.ToString()));
        }

        Write(table);
    }

    /// <summary>What was made or changed: its UUID, or all of it as JSON.</summary>
    public void WriteUuid(JsonObject record)
    {
        if (isJson)
        {
            WriteJson(record);
        }
        else
        {
            to.WriteLine(AdminApi.Text(record, "uuid"));
        }
    }

    // Terminals take orders from control characters, and names come from anybody.
    private static string Cell(string text) => Markup.Escape(string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c)));

    private Table NewTable() => new() { Border = isTerminal ? TableBorder.Rounded : TableBorder.None };

    private void WriteJson(JsonObject record) => to.WriteLine(record.ToJsonString(Relaxed));

    private void Write(Table table)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(to), Ansi = isTerminal ? AnsiSupport.Detect : AnsiSupport.No });
        if (!isTerminal)
        {
            console.Profile.Width = UnlimitedWidth;
        }

        console.Write(table);
    }
}
