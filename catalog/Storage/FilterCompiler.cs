using System.Text.Json;
using System.Text.RegularExpressions;
using KeepFs.Catalog.Records;

namespace KeepFs.Catalog.Storage;

/// <summary>
/// Turns the filters of catalog-api.md 3.3 into SQL over the alias <c>t</c>. Operands become parameters, names are looked up in the
/// record type: nothing a client wrote enters the text. Faults are 422.
/// </summary>
internal static partial class FilterCompiler
{
    /// <summary>What a filter says about one type in a list that holds several (groups/contents).</summary>
    public enum Scope
    {
        /// <summary>It concerns this type.</summary>
        Applies,

        /// <summary>It is qualified with another type's name.</summary>
        OtherType,

        /// <summary>It names something that this type does not have.</summary>
        Impossible,
    }

    /// <summary>Appends <c>AND (...)</c> for every filter.</summary>
    public static void AppendAll(SqlText sql, RecordType type, JsonElement? filters)
    {
        if (filters is not { } list)
        {
            return;
        }

        if (list.ValueKind != JsonValueKind.Array)
        {
            throw ApiException.Invalid("filters: must be an array");
        }

        foreach (var filter in list.EnumerateArray())
        {
            sql.Append(" AND (");
            AppendOne(sql, type, filter);
            sql.Append(")");
        }
    }

    /// <summary>Appends one condition, without parentheses.</summary>
    public static void AppendOne(SqlText sql, RecordType type, JsonElement filter)
    {
        if (filter.ValueKind == JsonValueKind.String)
        {
            AppendColumnComparison(sql, type, filter.GetString()!, isTrue: true);
            return;
        }

        var (attributes, op, operand) = Split(filter);
        if (attributes is [var only] && only.StartsWith('(') && operand.ValueKind is JsonValueKind.True or JsonValueKind.False && op == "=")
        {
            AppendColumnComparison(sql, type, only, operand.ValueKind == JsonValueKind.True);
            return;
        }

        if (op == "@@")
        {
            throw ApiException.Invalid("full text search operator @@ is not supported; use [\"any\", \"ilike\", \"%word%\"]");
        }

        if (attributes is ["any"])
        {
            FilterOperators.AppendAny(sql, type, op, operand);
            return;
        }

        sql.Join(" OR ", attributes.Select<string, Action<SqlText>>(name => s =>
        {
            s.Append("(");
            AppendAttribute(s, type, name, op, operand);
            s.Append(")");
        }));
    }

    /// <summary>How a filter relates to a type of a mixed list.</summary>
    public static Scope ScopeOf(RecordType type, IReadOnlyList<RecordType> all, JsonElement filter)
    {
        if (filter.ValueKind == JsonValueKind.String)
        {
            return Scope.Applies;
        }

        var (attributes, _, _) = Split(filter);
        if (attributes is ["any"])
        {
            return Scope.Applies;
        }

        var scopes = attributes.Select(name => ScopeOf(type, all, name)).ToList();
        return scopes.Contains(Scope.OtherType) && !scopes.Contains(Scope.Applies) ? Scope.OtherType
            : scopes.Contains(Scope.Impossible) && !scopes.Contains(Scope.Applies) ? Scope.Impossible
            : Scope.Applies;
    }

    private static Scope ScopeOf(RecordType type, IReadOnlyList<RecordType> all, string name)
    {
        var dot = name.IndexOf('.', StringComparison.Ordinal);
        if (dot > 0 && RecordTypes.All.FirstOrDefault(other => other.Table == name[..dot]) is { } qualifier)
        {
            return qualifier == type ? Scope.Applies : Scope.OtherType;
        }

        if (dot > 0 && name[..dot] is "container_requests" or "workflows")
        {
            return Scope.OtherType;
        }

        var attribute = dot > 0 ? name[..dot] : name;
        return type.Find(attribute) is { IsSearchable: true } || !all.Any(other => other.Find(attribute) is { IsSearchable: true })
            ? Scope.Applies
            : Scope.Impossible;
    }

    private static (IReadOnlyList<string> Attributes, string Op, JsonElement Operand) Split(JsonElement filter)
    {
        if (filter.ValueKind != JsonValueKind.Array || filter.GetArrayLength() != 3)
        {
            throw ApiException.Invalid($"filters: {filter.GetRawText()} must be an array of three elements, or a string");
        }

        IReadOnlyList<string> attributes = filter[0] switch
        {
            { ValueKind: JsonValueKind.String } one => [one.GetString()!],
            { ValueKind: JsonValueKind.Array } many when many.GetArrayLength() > 0 && many.EnumerateArray().All(name => name.ValueKind == JsonValueKind.String)
                => [.. many.EnumerateArray().Select(name => name.GetString()!)],
            _ => throw ApiException.Invalid($"filters: {filter[0].GetRawText()} must be an attribute or an array of attributes"),
        };
        return filter[1].ValueKind == JsonValueKind.String
            ? (attributes, filter[1].GetString()!.ToLowerInvariant(), filter[2])
            : throw ApiException.Invalid($"filters: operator {filter[1].GetRawText()} must be a string");
    }

    private static void AppendAttribute(SqlText sql, RecordType type, string name, string op, JsonElement operand)
    {
        var attribute = name.StartsWith(type.Table + ".", StringComparison.Ordinal) ? name[(type.Table.Length + 1)..] : name;
        var dot = attribute.IndexOf('.', StringComparison.Ordinal);
        if (dot > 0 && type.Find(attribute[..dot]) is { Kind: ColumnKind.Object, IsSearchable: true } properties)
        {
            var key = attribute[(dot + 1)..];
            PropertyOperators.Append(sql, "t." + properties.Name, key is ['<', .., '>'] ? key[1..^1] : key, op, operand, isIndexed: type == RecordTypes.Collections);
            return;
        }

        if (type.Find(attribute) is not { IsSearchable: true } column)
        {
            throw ApiException.Invalid($"filters: attribute '{name}' is not known or not searchable for {type.Table}");
        }

        FilterOperators.Append(sql, column, op, operand);
    }

    private static void AppendColumnComparison(SqlText sql, RecordType type, string text, bool isTrue)
    {
        var match = ColumnComparison().Match(text);
        if (!match.Success)
        {
            throw ApiException.Invalid($"filters: '{text}' must have the form (attribute OPERATOR attribute)");
        }

        sql.Append(isTrue ? "" : "NOT ")
            .Append($"(t.{IntegerColumn(type, match.Groups["a"].Value)} {match.Groups["op"].Value} t.{IntegerColumn(type, match.Groups["b"].Value)})");
    }

    private static string IntegerColumn(RecordType type, string name) =>
        type.Find(name) is { IsSearchable: true, Kind: ColumnKind.Integer } column
            ? column.Name
            : throw ApiException.Invalid($"filters: '{name}' is not an integer attribute of {type.Table}");

    [GeneratedRegex(@"\A\( *(?<a>[a-z_]+) *(?<op><=|>=|=|<|>) *(?<b>[a-z_]+) *\)\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex ColumnComparison();
}
