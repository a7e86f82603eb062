using System.Text.Json;
using KeepFs.Catalog.Requests;

namespace KeepFs.Catalog.Storage;

/// <summary>The operators of filters on one key of a JSON column, such as <c>properties.KEY</c> (catalog-api.md 3.3).</summary>
internal static class PropertyOperators
{
    // Scalars are equal when value and type are; 1 and 1.0 are the same number.
    private const string SameScalar = "(({0}.type = o.type OR ({0}.type IN ('integer', 'real') AND o.type IN ('integer', 'real'))) AND {0}.value IS o.value)";

    public static void Append(SqlText sql, string column, string key, string op, JsonElement operand)
    {
        switch (op)
        {
            case "=":
                AppendIn(sql, column, key, "[" + AttributeSet.CanonicalJson(operand) + "]");
                break;
            case "!=" or "<>":
                sql.Append("NOT ");
                AppendIn(sql, column, key, "[" + AttributeSet.CanonicalJson(operand) + "]");
                break;
            case "in" or "not in":
                var list = operand.ValueKind == JsonValueKind.Array ? AttributeSet.CanonicalJson(operand) : throw WrongOperand(key, op, operand);
                sql.Append(op == "in" ? "" : "NOT ");
                AppendIn(sql, column, key, list);
                break;
            case "<" or "<=" or ">" or ">=":
                AppendCompare(sql, column, key, op, operand);
                break;
            case "like" or "ilike":
                var pattern = operand.ValueKind == JsonValueKind.String ? operand.GetString()! : throw WrongOperand(key, op, operand);
                sql.Append($"EXISTS (SELECT 1 FROM json_each({column}) j WHERE j.key = ").Value(key).Append(" AND ");
                FilterOperators.AppendLike(sql, "CAST(j.value AS TEXT)", op, pattern);
                sql.Append(")");
                break;
            case "exists":
                var wanted = operand.ValueKind is JsonValueKind.True or JsonValueKind.False ? operand.GetBoolean() : throw WrongOperand(key, op, operand);
                sql.Append(wanted ? "" : "NOT ").Append($"EXISTS (SELECT 1 FROM json_each({column}) j WHERE j.key = ").Value(key).Append(")");
                break;
            case "contains":
                AppendContains(sql, column, key, operand);
                break;
            default:
                throw ApiException.Invalid($"filters: unknown operator '{op}'");
        }
    }

    private static void AppendIn(SqlText sql, string column, string key, string list) => sql
        .Append($"EXISTS (SELECT 1 FROM json_each({column}) j, json_each(").Value(list).Append(") o WHERE j.key = ").Value(key)
        .Append(" AND ").Append(Same("j")).Append(")");

    private static void AppendCompare(SqlText sql, string column, string key, string op, JsonElement operand)
    {
        var (types, value) = operand.ValueKind switch
        {
            JsonValueKind.Number => ("'integer', 'real'", (object)operand.GetDouble()),
            JsonValueKind.String => ("'text'", operand.GetString()!),
            _ => throw WrongOperand(key, op, operand),
        };
        sql.Append($"EXISTS (SELECT 1 FROM json_each({column}) j WHERE j.key = ").Value(key)
            .Append($" AND j.type IN ({types}) AND j.value {op} ").Value(value).Append(")");
    }

    private static void AppendContains(SqlText sql, string column, string key, JsonElement operand) => sql
        .Append($"EXISTS (SELECT 1 FROM json_each({column}) j, json_each(").Value("[" + AttributeSet.CanonicalJson(operand) + "]").Append(") o WHERE j.key = ").Value(key)
        .Append(" AND (").Append(Same("j"))
        .Append(" OR (j.type = 'array' AND EXISTS (SELECT 1 FROM json_each(j.value) e WHERE ").Append(Same("e")).Append("))))");

    private static string Same(string alias) => SameScalar.Replace("{0}", alias, StringComparison.Ordinal);

    private static ApiException WrongOperand(string key, string op, JsonElement operand) =>
        ApiException.Invalid($"filters: invalid operand {operand.GetRawText()} for '{op}' on property '{key}'");
}
