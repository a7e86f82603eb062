using System.Text.Json;

namespace KeepFs.Catalog.Exchange;

/// <summary>What an import did, by tables. Not safe for concurrent use.</summary>
internal sealed class ImportSummary(SortedDictionary<string, long> skipped)
{
    private readonly SortedDictionary<string, long> _imported = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, long> _replaced = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, long> _kept = new(StringComparer.Ordinal);
    private readonly List<string> _warnings = [];

    public long Records => _imported.Values.Sum() + _replaced.Values.Sum();

    public void Imported(string table, int rows = 1) => Count(_imported, table, rows);

    public void Replaced(string table) => Count(_replaced, table);

    /// <summary>The catalogue's own record stayed.</summary>
    public void Kept(string table) => Count(_kept, table);

    public void Warn(string text) => _warnings.Add(text);

    public void Write(Utf8JsonWriter writer)
    {
        Write(writer, "imported", _imported);
        Write(writer, "replaced", _replaced);
        Write(writer, "kept", _kept);
        Write(writer, "skipped", skipped);
        writer.WriteStartArray("warnings");
        _warnings.ForEach(writer.WriteStringValue);
        writer.WriteEndArray();
    }

    private static void Count(SortedDictionary<string, long> counts, string table, int rows = 1) => counts[table] = counts.GetValueOrDefault(table) + rows;

    private static void Write(Utf8JsonWriter writer, string name, SortedDictionary<string, long> counts)
    {
        writer.WriteStartObject(name);
        foreach (var (table, count) in counts)
        {
            writer.WriteNumber(table, count);
        }

        writer.WriteEndObject();
    }
}
