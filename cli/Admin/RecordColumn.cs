using System.Globalization;
using System.Text.Json.Nodes;
using KeepFs.Cli.Output;

namespace KeepFs.Cli.Admin;

/// <summary>A column of a table of records.</summary>
internal sealed record RecordColumn(string Title, Func<JsonObject, string> Value)
{
    /// <summary>An attribute as it is.</summary>
    public static RecordColumn Of(string name, string? title = null) => new(title ?? name, record => record[name] is JsonArray list ? string.Join(", ", list) : AdminApi.Text(record, name));

    /// <summary>Yes, or nothing.</summary>
    public static RecordColumn Flag(string name, string title) => new(title, record => record[name]?.ToString() == "true" ? "yes" : "");

    public static RecordColumn Bytes(string name, string title) =>
        new(title, record => record[name] is { } value ? Readable.Bytes(double.Parse(value.ToString(), CultureInfo.InvariantCulture)) : "");

    /// <summary>A time to the second, in UTC.</summary>
    public static RecordColumn Time(string name, string title) =>
        new(title, record => DateTimeOffset.TryParse(AdminApi.Text(record, name), CultureInfo.InvariantCulture, out var time) ? time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) : "");
}
