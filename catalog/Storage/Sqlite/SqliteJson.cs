using System.Text.Json;

namespace KeepFs.Catalog.Storage.Sqlite;

/// <summary>JSON conditions over SQLite's <c>json_each</c>. Immutable.</summary>
internal sealed class SqliteJson : JsonSql
{
    private const string SameScalar = "(({0}.type = o.type OR ({0}.type IN ('integer', 'real') AND o.type IN ('integer', 'real'))) AND {0}.value IS o.value)";

    public override string Canonical(string column) => $"json({column})";

    public override void AppendHasKey(SqlText sql, string column, string key)
    {
        var parameter = sql.Parameter(key);
        sql.Append($"""
            EXISTS (SELECT 1 FROM json_each({column}) j WHERE (json_type({column}) = 'object' AND j.key = {parameter})
                OR (json_type({column}) = 'array' AND j.type = 'text' AND j.atom = {parameter}))
            """);
    }

    public override void AppendIn(SqlText sql, string column, string key, string list, bool isIndexed)
    {
        var (values, name) = (sql.Parameter(list), sql.Parameter(key));
        if (isIndexed && HoldsTextAndNumbers(list))
        {
            sql.Append($"t.id IN (SELECT p.id FROM keepfs_properties p WHERE p.key = {name} AND p.value IN (SELECT value FROM json_each({values}))) AND ");
        }

        sql.Append($"EXISTS (SELECT 1 FROM json_each({column}) j, json_each({values}) o WHERE j.key = {name} AND {Same("j")})");
    }

    public override void AppendCompare(SqlText sql, string column, string key, string op, object operand) => sql
        .Append($"EXISTS (SELECT 1 FROM json_each({column}) j WHERE j.key = ").Value(key)
        .Append($" AND j.type IN ({(operand is string ? "'text'" : "'integer', 'real'")}) AND j.value {op} ").Value(operand).Append(")");

    public override void AppendLike(SqlText sql, string column, string key, string op, string pattern)
    {
        sql.Append($"EXISTS (SELECT 1 FROM json_each({column}) j WHERE j.key = ").Value(key).Append(" AND ");
        FilterOperators.AppendLike(sql, "CAST(j.value AS TEXT)", op, pattern);
        sql.Append(")");
    }

    public override void AppendExists(SqlText sql, string column, string key) =>
        sql.Append($"EXISTS (SELECT 1 FROM json_each({column}) j WHERE j.key = ").Value(key).Append(")");

    public override void AppendContains(SqlText sql, string column, string key, string value) => sql
        .Append($"EXISTS (SELECT 1 FROM json_each({column}) j, json_each(").Value("[" + value + "]").Append(") o WHERE j.key = ").Value(key)
        .Append(" AND (").Append(Same("j"))
        .Append(" OR (j.type = 'array' AND EXISTS (SELECT 1 FROM json_each(j.value) e WHERE ").Append(Same("e")).Append("))))");

    private static bool HoldsTextAndNumbers(string list)
    {
        using var values = JsonDocument.Parse(list);
        return values.RootElement.EnumerateArray().All(value => value.ValueKind is JsonValueKind.String or JsonValueKind.Number);
    }

    private static string Same(string alias) => SameScalar.Replace("{0}", alias, StringComparison.Ordinal);
}
