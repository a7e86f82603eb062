using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using KeepFs.Catalog.Records;

namespace KeepFs.Catalog.Tests.Fuzz;

/// <summary>
/// catalog-api.md 3.1 and 3.3 word by word, one record at a time, on what is stored: text, numbers, JSON as text, null. Knows no SQL.
/// </summary>
internal static class FilterModel
{
    public static bool Matches(Row row, JsonArray filters) => filters.All(filter => Matches(row, filter!));

    /// <summary>By the columns in turn, then the newest first; null comes before everything else.</summary>
    public static List<Row> Sort(IEnumerable<Row> rows, List<(string Column, bool IsDescending)> order)
    {
        var sorted = rows.ToList();
        List<(string Column, bool IsDescending)> terms = [.. order, ("modified_at", true), ("uuid", true)];
        sorted.Sort((a, b) => terms.Select(term => Compare(a[term.Column], b[term.Column]) * (term.IsDescending ? -1 : 1)).FirstOrDefault(result => result != 0));
        return sorted;
    }

    private static bool Matches(Row row, JsonNode filter)
    {
        if (filter is JsonValue text)
        {
            return Columns(row, text.GetValue<string>()) is true;
        }

        var (attributes, op, operand) = (filter[0]!, filter[1]!.GetValue<string>().ToLowerInvariant(), filter[2]);
        op = op == "<>" ? "!=" : op;
        if (attributes is JsonArray many)
        {
            return many.Any(attribute => Matches(row, attribute!.GetValue<string>(), op, operand));
        }

        var name = attributes.GetValue<string>();
        return name.StartsWith('(') ? Columns(row, name) == operand!.GetValue<bool>() : Matches(row, name, op, operand);
    }

    private static bool Matches(Row row, string attribute, string op, JsonNode? operand)
    {
        if (attribute == "any")
        {
            return Any(row, op, operand);
        }

        var dot = attribute.IndexOf('.', StringComparison.Ordinal);
        return dot > 0
            ? Property(JsonNode.Parse(row.Text(attribute[..dot])!)!.AsObject(), attribute[(dot + 1)..].TrimStart('<').TrimEnd('>'), op, operand)
            : Column(row, row.Type.Find(attribute)!, op, operand);
    }

    private static bool Column(Row row, Column column, string op, JsonNode? operand)
    {
        var value = row[column.Name];
        switch (op)
        {
            case "=" or "!=" when operand is null:
                return value is null == (op == "=");
            case "=" or "!=" when IsText(column) && operand is JsonValue empty && empty.TryGetValue<string>(out var text) && text.Length == 0:
                return value is null or "" == (op == "=");
            case "=":
                return value is not null && Same(column, value, operand!);
            case "!=":
                return value is null || !Same(column, value, operand!);
            case "<" or "<=" or ">" or ">=":
                return value is not null && Holds(Compare(value, Stored(column, operand!)), op);
            case "like" or "ilike":
                return value is not null && Like((string)value, operand!.GetValue<string>(), op);
            case "in":
                return value is not null && operand!.AsArray().Any(item => item is not null && Same(column, value, item));
            case "not in":
                return value is null ? !operand!.AsArray().Any(item => item is null) : !operand!.AsArray().Any(item => item is not null && Same(column, value, item));
            case "is_a":
                var kinds = operand is JsonArray several ? several.Select(kind => kind!.GetValue<string>()) : [operand!.GetValue<string>()];
                return value is string uuid && kinds.Any(kind => Uuids.KindOfUuid(uuid) == kind);
            case "exists":
                return Has(value, operand!.GetValue<string>());
            case "contains":
                return (operand is JsonArray keys ? keys.Select(key => key!.GetValue<string>()) : [operand!.GetValue<string>()]).All(key => Has(value, key));
            default:
                throw new InvalidOperationException(op);
        }
    }

    private static bool Property(JsonObject properties, string key, string op, JsonNode? operand)
    {
        var isThere = properties.TryGetPropertyValue(key, out var value);
        return op switch
        {
            "=" => isThere && Same(value, operand),
            "!=" => !(isThere && Same(value, operand)),
            "in" => isThere && operand!.AsArray().Any(item => Same(value, item)),
            "not in" => !(isThere && operand!.AsArray().Any(item => Same(value, item))),
            "exists" => isThere == operand!.GetValue<bool>(),
            "contains" => isThere && (Same(value, operand) || (value is JsonArray list && list.Any(item => Same(item, operand)))),
            "<" or "<=" or ">" or ">=" => value is JsonValue && value.GetValueKind() == operand!.GetValueKind() && Holds(
                operand.GetValueKind() == System.Text.Json.JsonValueKind.Number ? Number(value).CompareTo(Number(operand)) : Compare(value.GetValue<string>(), operand.GetValue<string>()), op),
            "like" or "ilike" => value is not null && Like(TextOf(value), operand!.GetValue<string>(), op),
            _ => throw new InvalidOperationException(op),
        };
    }

    private static bool Any(Row row, string op, JsonNode? operand)
    {
        if (op is "like" or "ilike" && operand!.GetValue<string>() is ['%', _, .., '%'] pattern)
        {
            return Like(string.Join(' ', row.Type.Columns.Where(column => column.IsInAnyText).Select(column => row.Text(column.Name) ?? "")), pattern, op);
        }

        var isNumber = operand is JsonValue && operand.GetValueKind() == System.Text.Json.JsonValueKind.Number;
        return row.Type.Columns.Where(column => column.IsSearchable && (op switch
        {
            "exists" or "contains" => column.Kind is ColumnKind.Object or ColumnKind.Array,
            "is_a" => column.Kind == ColumnKind.Uuid,
            _ => isNumber ? column.Kind == ColumnKind.Integer : IsText(column),
        })).Any(column => Column(row, column, op, operand));
    }

    /// <summary>Null when one of the two is.</summary>
    private static bool? Columns(Row row, string comparison)
    {
        var parts = comparison.Trim('(', ')').Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return row.Integer(parts[0]) is { } left && row.Integer(parts[2]) is { } right ? Holds(left.CompareTo(right), parts[1]) : null;
    }

    private static bool IsText(Column column) => column.Kind is ColumnKind.Text or ColumnKind.Identifier or ColumnKind.Uuid;

    private static bool Has(object? value, string key) => value is string json && JsonNode.Parse(json) switch
    {
        JsonObject properties => properties.ContainsKey(key),
        JsonArray list => list.Any(item => item is JsonValue text && text.TryGetValue<string>(out var given) && given == key),
        _ => false,
    };

    private static bool Same(Column column, object value, JsonNode operand) => column.Kind is ColumnKind.Object or ColumnKind.Array
        ? Same(JsonNode.Parse((string)value), operand is JsonValue text ? JsonNode.Parse(text.GetValue<string>()) : operand)
        : Compare(value, Stored(column, operand)) == 0;

    private static object Stored(Column column, JsonNode operand) => (column.Kind, operand.GetValueKind()) switch
    {
        (ColumnKind.Integer or ColumnKind.Boolean, System.Text.Json.JsonValueKind.Number) => operand.GetValue<long>(),
        (ColumnKind.Integer, _) => long.Parse(operand.GetValue<string>(), CultureInfo.InvariantCulture),
        (ColumnKind.Boolean, System.Text.Json.JsonValueKind.String) => operand.GetValue<string>() is "t" or "yes" or "1" ? 1L : 0L,
        (ColumnKind.Boolean, _) => operand.GetValue<bool>() ? 1L : 0L,
        (ColumnKind.Time, _) => DateTimeOffset.Parse(operand.GetValue<string>(), CultureInfo.InvariantCulture).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture),
        (_, System.Text.Json.JsonValueKind.String) => operand.GetValue<string>(),
        _ => operand.ToJsonString(),
    };

    // 1 and 1.0 are the same number; arrays and objects are the same when their text is.
    private static bool Same(JsonNode? a, JsonNode? b) =>
        a is null || b is null ? a is null && b is null
        : a.GetValueKind() != b.GetValueKind() ? false
        : a.GetValueKind() == System.Text.Json.JsonValueKind.Number ? Number(a) == Number(b)
        : a.GetValueKind() == System.Text.Json.JsonValueKind.String ? a.GetValue<string>() == b.GetValue<string>()
        : a.ToJsonString() == b.ToJsonString();

    private static double Number(JsonNode value) => double.Parse(value.ToJsonString(), CultureInfo.InvariantCulture);

    private static string TextOf(JsonNode value) => value.GetValueKind() switch
    {
        System.Text.Json.JsonValueKind.String => value.GetValue<string>(),
        System.Text.Json.JsonValueKind.True => "1",
        System.Text.Json.JsonValueKind.False => "0",
        _ => value.ToJsonString(new System.Text.Json.JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }),
    };

    private static int Compare(object? a, object? b) => (a, b) switch
    {
        (null, null) => 0,
        (null, _) => -1,
        (_, null) => 1,
        (long x, long y) => x.CompareTo(y),
        _ => Encoding.UTF8.GetBytes((string)a).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes((string)b)),
    };

    private static bool Holds(int comparison, string op) => op switch
    {
        "<" => comparison < 0,
        "<=" => comparison <= 0,
        ">" => comparison > 0,
        ">=" => comparison >= 0,
        _ => comparison == 0,
    };

    private static bool Like(string text, string pattern, string op) => op == "ilike"
        ? Like([.. text.ToLowerInvariant().EnumerateRunes()], [.. pattern.ToLowerInvariant().EnumerateRunes()])
        : Like([.. text.EnumerateRunes()], [.. pattern.EnumerateRunes()]);

    private static bool Like(ReadOnlySpan<Rune> text, ReadOnlySpan<Rune> pattern)
    {
        if (pattern.IsEmpty)
        {
            return text.IsEmpty;
        }

        switch (pattern[0].Value)
        {
            case '%':
                for (var at = 0; at <= text.Length; at++)
                {
                    if (Like(text[at..], pattern[1..]))
                    {
                        return true;
                    }
                }

                return false;
            case '_':
                return !text.IsEmpty && Like(text[1..], pattern[1..]);
            case '\\':
                return pattern.Length > 1 && !text.IsEmpty && text[0] == pattern[1] && Like(text[1..], pattern[2..]);
            default:
                return !text.IsEmpty && text[0] == pattern[0] && Like(text[1..], pattern[1..]);
        }
    }
}
