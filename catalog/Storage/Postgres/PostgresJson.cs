namespace KeepFs.Catalog.Storage.Postgres;

/// <summary>JSON conditions over the functions that <see cref="PostgresFunctions"/> makes. Text that is stored is always JSON that PostgreSQL can read. Immutable.</summary>
internal sealed class PostgresJson : JsonSql
{
    public override string Canonical(string column) => column;

    public override void AppendHasKey(SqlText sql, string column, string key) => sql.Append($"coalesce(jsonb_exists({column}::jsonb, ").Value(key).Append("), false)");

    public override void AppendIn(SqlText sql, string column, string key, string list, bool isIndexed)
    {
        sql.Append("(");
        AppendIndexed(sql, column, key, list);
        sql.Append($"EXISTS (SELECT 1 FROM json_each({column}::json) j, json_array_elements(").Value(list).Append("::json) o(value) WHERE j.key = ").Value(key)
            .Append(" AND keepfs_json_same(j.value, o.value)))");
    }

    public override void AppendCompare(SqlText sql, string column, string key, string op, object operand)
    {
        sql.Append($"EXISTS (SELECT 1 FROM json_each({column}::json) j WHERE j.key = ").Value(key);
        if (operand is string)
        {
            sql.Append($" AND json_typeof(j.value) = 'string' AND (j.value #>> '{{}}') COLLATE \"C\" {op} ").Value(operand).Append(")");
        }
        else
        {
            sql.Append($" AND CASE json_typeof(j.value) WHEN 'number' THEN j.value::text::float8 {op} ").Value(operand).Append("::float8 ELSE false END)");
        }
    }

    public override void AppendLike(SqlText sql, string column, string key, string op, string pattern)
    {
        sql.Append($"EXISTS (SELECT 1 FROM json_each({column}::json) j WHERE j.key = ").Value(key).Append(" AND ");
        FilterOperators.AppendLike(sql, "keepfs_json_text(j.value)", op, pattern);
        sql.Append(")");
    }

    public override void AppendExists(SqlText sql, string column, string key) =>
        sql.Append($"EXISTS (SELECT 1 FROM json_each({column}::json) j WHERE j.key = ").Value(key).Append(")");

    public override void AppendContains(SqlText sql, string column, string key, string value)
    {
        var operand = sql.Parameter(value);
        sql.Append($"EXISTS (SELECT 1 FROM json_each({column}::json) j WHERE j.key = ").Value(key)
            .Append($" AND (keepfs_json_same(j.value, {operand}::json) OR EXISTS (SELECT 1 FROM json_array_elements(")
            .Append($"CASE json_typeof(j.value) WHEN 'array' THEN j.value ELSE '[]'::json END) e(value) WHERE keepfs_json_same(e.value, {operand}::json))))");
    }

    // One value is looked up in the index; what is found there is compared exactly, as everything else.
    private static void AppendIndexed(SqlText sql, string column, string key, string list)
    {
        using var values = System.Text.Json.JsonDocument.Parse(list);
        if (values.RootElement.GetArrayLength() == 1 && values.RootElement[0].ValueKind is not (System.Text.Json.JsonValueKind.Array or System.Text.Json.JsonValueKind.Object))
        {
            sql.Append($"{column}::jsonb @> ").Value($"{{{System.Text.Json.JsonSerializer.Serialize(key, Requests.WireJson.Default.String)}:{values.RootElement[0].GetRawText()}}}").Append("::jsonb AND ");
        }
    }
}
