using System.Globalization;
using System.Text.Json;
using KeepFs.Catalog.Records;
using KeepFs.Catalog.Requests;

namespace KeepFs.Catalog.Storage;

/// <summary>The operators of filters on whole columns (catalog-api.md 3.3).</summary>
internal static class FilterOperators
{
    public static void Append(SqlText sql, Column column, string op, JsonElement operand)
    {
        var name = "t." + column.Name;
        var isJson = column.Kind is ColumnKind.Object or ColumnKind.Array;
        switch (op)
        {
            case "=" or "!=" or "<>":
                AppendEqual(sql, column, name, isEqual: op == "=", operand);
                break;
            case "<" or "<=" or ">" or ">=" when !isJson && column.Kind != ColumnKind.Boolean:
                sql.Append($"{name} {op} ").Value(Convert(column, NotNull(column, operand)));
                break;
            case "like" or "ilike" when IsText(column):
                AppendLike(sql, name, op, Pattern(column, operand));
                AppendPrefix(sql, name, op, operand.GetString()!);
                break;
            case "in" or "not in" when !isJson:
                AppendIn(sql, column, name, isIn: op == "in", operand);
                break;
            case "is_a" when column.Kind == ColumnKind.Uuid:
                AppendIsA(sql, name, operand);
                break;
            case "exists" when isJson:
                sql.Dialect.Json.AppendHasKey(sql, name, operand.ValueKind == JsonValueKind.String ? operand.GetString()! : throw WrongOperand(column, op, operand));
                break;
            case "contains" when isJson:
                AppendContains(sql, column, name, operand);
                break;
            case "<" or "<=" or ">" or ">=" or "like" or "ilike" or "in" or "not in" or "is_a" or "exists" or "contains":
                throw ApiException.Invalid($"filters: operator '{op}' cannot be used on attribute '{column.Name}'");
            default:
                throw ApiException.Invalid($"filters: unknown operator '{op}'");
        }
    }

    /// <summary>The attribute "any".</summary>
    public static void AppendAny(SqlText sql, RecordType type, string op, JsonElement operand)
    {
        if (op is "like" or "ilike" && operand.ValueKind == JsonValueKind.String && operand.GetString() is ['%', _, .., '%'] pattern)
        {
            var all = string.Join(" || ' ' || ", type.Columns.Where(column => column.IsInAnyText).Select(column => $"coalesce(t.{column.Name}, '')"));
            AppendLike(sql, $"({all})", op, pattern);
            return;
        }

        var columns = type.Columns.Where(column => Fits(column, op, operand)).ToList();
        if (columns.Count == 0)
        {
            throw ApiException.Invalid($"filters: operator '{op}' with {operand.GetRawText()} cannot be used on 'any'");
        }

        sql.Join(" OR ", columns.Select<Column, Action<SqlText>>(column => s => Append(s, column, op, operand)));
    }

    /// <summary>Case-sensitive or -insensitive match with <c>%</c>, <c>_</c> and backslash escapes.</summary>
    public static void AppendLike(SqlText sql, string expression, string op, string pattern)
    {
        if ((pattern.Length - pattern.TrimEnd('\\').Length) % 2 == 1)
        {
            // An escape of nothing matches nothing; PostgreSQL would call it a fault.
            sql.Append("false");
        }
        else if (op == "like")
        {
            sql.Append($"{expression} LIKE ").Value(pattern).Append(" ESCAPE '\\'");
        }
        else
        {
            sql.Append($"{sql.Dialect.CaseFold(expression)} LIKE ").Value(pattern.ToLowerInvariant()).Append(" ESCAPE '\\'");
        }
    }

    /// <summary>The text that every match of a pattern begins with, as far as it is plain ASCII.</summary>
    public static string LiteralPrefix(string pattern)
    {
        var length = pattern.TakeWhile(c => c is not ('%' or '_' or '\\') && char.IsAscii(c) && !char.IsControl(c)).Count();
        return pattern[..length];
    }

    // Says nothing new, but indexes understand it whatever the parameter is.
    private static void AppendPrefix(SqlText sql, string name, string op, string pattern)
    {
        if (op == "like" && LiteralPrefix(pattern) is { Length: > 0 } prefix)
        {
            sql.Append($" AND {name} >= ").Value(prefix).Append($" AND {name} < ").Value(prefix[..^1] + (char)(prefix[^1] + 1));
        }
    }

    private static bool Fits(Column column, string op, JsonElement operand) => column.IsSearchable && op switch
    {
        "exists" or "contains" => column.Kind is ColumnKind.Object or ColumnKind.Array,
        "is_a" => column.Kind == ColumnKind.Uuid,
        "like" or "ilike" => IsText(column),
        "in" or "not in" => IsText(column) && operand.ValueKind == JsonValueKind.Array,
        _ => operand.ValueKind == JsonValueKind.Number ? column.Kind == ColumnKind.Integer : IsText(column),
    };

    private static bool IsText(Column column) => column.Kind is ColumnKind.Text or ColumnKind.Identifier or ColumnKind.Uuid;

    private static void AppendEqual(SqlText sql, Column column, string name, bool isEqual, JsonElement operand)
    {
        if (operand.ValueKind == JsonValueKind.Null)
        {
            // An unset name is "" in the API and nothing else distinguishes the two.
            sql.Append(isEqual ? $"{name} IS NULL" : $"{name} IS NOT NULL");
            return;
        }

        if (IsText(column) && operand.ValueKind == JsonValueKind.String && operand.GetString() is "")
        {
            sql.Append(isEqual ? $"coalesce({name}, '') = ''" : $"coalesce({name}, '') <> ''");
            return;
        }

        var expression = column.Kind is ColumnKind.Object or ColumnKind.Array ? sql.Dialect.Json.Canonical(name) : name;
        var value = Convert(column, operand);
        if (isEqual)
        {
            sql.Append($"{expression} = ").Value(value);
        }
        else
        {
            sql.Append($"({expression} <> ").Value(value).Append($" OR {name} IS NULL)");
        }
    }

    private static void AppendIn(SqlText sql, Column column, string name, bool isIn, JsonElement operand)
    {
        if (operand.ValueKind != JsonValueKind.Array)
        {
            throw WrongOperand(column, isIn ? "in" : "not in", operand);
        }

        var hasNull = operand.EnumerateArray().Any(item => item.ValueKind == JsonValueKind.Null);
        var values = operand.EnumerateArray().Where(item => item.ValueKind != JsonValueKind.Null).Select(item => Convert(column, item)).ToList();
        var list = sql.Parameter(column.Kind is ColumnKind.Integer or ColumnKind.Boolean ? SqlList.Of(values.Cast<long>()) : SqlList.Of(values.Cast<string>()));
        sql.Append(isIn
            ? sql.Dialect.In(name, list)
            : $"({sql.Dialect.NotIn(name, list)} {(hasNull ? "AND" : "OR")} {name} IS {(hasNull ? "NOT " : "")}NULL)");
    }

    private static void AppendIsA(SqlText sql, string name, JsonElement operand)
    {
        var kinds = operand.ValueKind switch
        {
            JsonValueKind.String => [operand],
            JsonValueKind.Array when operand.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String) => operand.EnumerateArray().ToArray(),
            _ => throw ApiException.Invalid($"filters: operand of 'is_a' must be a kind or an array of kinds, not {operand.GetRawText()}"),
        };

        // A kind that nobody has matches nothing.
        var infixes = kinds.Select(kind => Uuids.InfixOfKind(kind.GetString()!)).OfType<string>().ToArray();
        sql.Append(sql.Dialect.In($"substr({name}, 7, 5)", sql.Parameter(SqlList.Of(infixes))));
    }

    private static void AppendContains(SqlText sql, Column column, string name, JsonElement operand)
    {
        var wanted = operand.ValueKind switch
        {
            JsonValueKind.String => [operand.GetString()!],
            JsonValueKind.Array when operand.GetArrayLength() > 0 && operand.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String)
                => operand.EnumerateArray().Select(item => item.GetString()!).ToArray(),
            _ => throw WrongOperand(column, "contains", operand),
        };
        sql.Join(" AND ", wanted.Select<string, Action<SqlText>>(key => s => s.Dialect.Json.AppendHasKey(s, name, key)));
    }

    private static JsonElement NotNull(Column column, JsonElement operand) =>
        operand.ValueKind == JsonValueKind.Null ? throw WrongOperand(column, "comparison", operand) : operand;

    private static string Pattern(Column column, JsonElement operand) =>
        operand.ValueKind == JsonValueKind.String ? operand.GetString()! : throw WrongOperand(column, "like", operand);

    private static object Convert(Column column, JsonElement operand) => (column.Kind, operand.ValueKind) switch
    {
        (ColumnKind.Integer, JsonValueKind.Number) when operand.TryGetInt64(out var number) => number,
        (ColumnKind.Integer, JsonValueKind.String) when long.TryParse(operand.GetString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) => number,
        (ColumnKind.Boolean, JsonValueKind.True) => 1L,
        (ColumnKind.Boolean, JsonValueKind.False) => 0L,
        (ColumnKind.Boolean, JsonValueKind.String) when operand.GetString()!.ToLowerInvariant() is "1" or "t" or "true" or "y" or "yes" => 1L,
        (ColumnKind.Boolean, JsonValueKind.String) when operand.GetString()!.ToLowerInvariant() is "0" or "f" or "false" or "n" or "no" => 0L,
        (ColumnKind.Boolean, JsonValueKind.Number) when operand.TryGetInt64(out var number) && number is 0 or 1 => number,
        (ColumnKind.Time, JsonValueKind.String) when Timestamp.FromClient(operand.GetString()!) is { } time => time,
        (ColumnKind.Object or ColumnKind.Array, JsonValueKind.String) => CanonicalText(column, operand),
        (ColumnKind.Object, JsonValueKind.Object) or (ColumnKind.Array, JsonValueKind.Array) => AttributeSet.CanonicalJson(operand),
        (ColumnKind.Text or ColumnKind.Identifier or ColumnKind.Uuid, JsonValueKind.String) => operand.GetString()!,
        (ColumnKind.Text or ColumnKind.Identifier or ColumnKind.Uuid, JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False) => operand.GetRawText(),
        _ => throw WrongOperand(column, "=", operand),
    };

    private static string CanonicalText(Column column, JsonElement operand)
    {
        try
        {
            using var document = TextJson.Parse(operand.GetString()!);
            return AttributeSet.CanonicalJson(document.RootElement);
        }
        catch (JsonException)
        {
            throw WrongOperand(column, "=", operand);
        }
    }

    private static ApiException WrongOperand(Column column, string op, JsonElement operand) =>
        ApiException.Invalid($"filters: invalid operand {operand.GetRawText()} for '{op}' on attribute '{column.Name}'");
}
