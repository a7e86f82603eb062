using System.Text.Json;
using KeepFs.Catalog.Requests;

namespace KeepFs.Catalog.Storage;

/// <summary>The operators of filters on one key of a JSON column, such as <c>properties.KEY</c> (catalog-api.md 3.3).</summary>
internal static class PropertyOperators
{
    /// <param name="sql">Where to append.</param>
    /// <param name="column">The column, of the alias t.</param>
    /// <param name="key">The key.</param>
    /// <param name="op">The operator.</param>
    /// <param name="operand">What it is compared with.</param>
    /// <param name="isIndexed">Values of this column have an index.</param>
    public static void Append(SqlText sql, string column, string key, string op, JsonElement operand, bool isIndexed)
    {
        switch (op)
        {
            case "=":
                sql.Dialect.Json.AppendIn(sql, column, key, "[" + AttributeSet.CanonicalJson(operand) + "]", isIndexed);
                break;
            case "!=" or "<>":
                sql.Append("NOT ");
                sql.Dialect.Json.AppendIn(sql, column, key, "[" + AttributeSet.CanonicalJson(operand) + "]", isIndexed: false);
                break;
            case "in" or "not in":
                var list = operand.ValueKind == JsonValueKind.Array ? AttributeSet.CanonicalJson(operand) : throw WrongOperand(key, op, operand);
                sql.Append(op == "in" ? "" : "NOT ");
                sql.Dialect.Json.AppendIn(sql, column, key, list, isIndexed && op == "in");
                break;
            case "<" or "<=" or ">" or ">=":
                AppendCompare(sql, column, key, op, operand);
                break;
            case "like" or "ilike":
                var pattern = operand.ValueKind == JsonValueKind.String ? operand.GetString()! : throw WrongOperand(key, op, operand);
                sql.Dialect.Json.AppendLike(sql, column, key, op, pattern);
                break;
            case "exists":
                var wanted = operand.ValueKind is JsonValueKind.True or JsonValueKind.False ? operand.GetBoolean() : throw WrongOperand(key, op, operand);
                sql.Append(wanted ? "" : "NOT ");
                sql.Dialect.Json.AppendExists(sql, column, key);
                break;
            case "contains":
                sql.Dialect.Json.AppendContains(sql, column, key, AttributeSet.CanonicalJson(operand));
                break;
            default:
                throw ApiException.Invalid($"filters: unknown operator '{op}'");
        }
    }

    private static void AppendCompare(SqlText sql, string column, string key, string op, JsonElement operand)
    {
        object value = operand.ValueKind switch
        {
            JsonValueKind.Number => operand.GetDouble(),
            JsonValueKind.String => operand.GetString()!,
            _ => throw WrongOperand(key, op, operand),
        };
        sql.Dialect.Json.AppendCompare(sql, column, key, op, value);
    }

    private static ApiException WrongOperand(string key, string op, JsonElement operand) =>
        ApiException.Invalid($"filters: invalid operand {operand.GetRawText()} for '{op}' on property '{key}'");
}
