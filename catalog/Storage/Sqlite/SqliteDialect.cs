using System.Data.Common;
using Microsoft.Data.Sqlite;

namespace KeepFs.Catalog.Storage.Sqlite;

/// <summary>SQLite's SQL, with the function <c>casefold</c> and the settings that <see cref="SqliteStore"/> gives its connections. Immutable.</summary>
internal sealed class SqliteDialect : SqlDialect
{
    /// <summary>SQLITE_CONSTRAINT.</summary>
    private const int Constraint = 19;

    public static SqliteDialect Instance { get; } = new();

    public override JsonSql Json { get; } = new SqliteJson();

    // The driver keeps what it compiled.
    public override bool PreparesStatements => false;

    public override bool WaitsForServer => false;

    public override string Id => "INTEGER PRIMARY KEY";

    public override string IdForEver => "INTEGER PRIMARY KEY AUTOINCREMENT";

    public override string Integer => "INTEGER";

    public override string Text => "TEXT";

    public override string Bytes => "BLOB";

    public override string KeyedOnly => " WITHOUT ROWID";

    public override string NullsFirst => "";

    // The planner knows nothing of the data and would go through all permission links for each step.
    public override string WalkPermissions(int level, string startsWith) => $"""
        WITH RECURSIVE walk(node, level, last) AS (
            SELECT @p0, {level}, {level}
            UNION
            SELECT g.uuid, w.level, 3
                FROM walk w JOIN groups g INDEXED BY groups_owner ON g.owner_uuid = w.node
                WHERE {startsWith} OR substr(w.node, 7, 5) = 'j7d0g'
            UNION
            SELECT l.head_uuid,
                   min(w.level, CASE l.name WHEN 'can_manage' THEN 3 WHEN 'can_write' THEN 2 ELSE 1 END),
                   CASE l.name WHEN 'can_manage' THEN 3 WHEN 'can_write' THEN 2 ELSE 1 END
                FROM walk w JOIN links l INDEXED BY links_permission_tail ON l.tail_uuid = w.node AND l.link_class = 'permission'
                WHERE {startsWith} OR substr(w.node, 7, 5) = 'j7d0g'
        )
        """;

    public override string Least(string left, string right) => $"min({left}, {right})";

    public override string Greatest(string left, string right) => $"max({left}, {right})";

    public override string Choose(string sqlite, string postgres) => sqlite;

    public override string In(string expression, string list) => $"{expression} IN (SELECT value FROM json_each({list}))";

    public override string InQuery(string expression, string query) => $"{expression} IN ({query})";

    public override string IsCurrent(string prefix) => $"{prefix}uuid = {prefix}current_version_uuid";

    public override string NotIn(string expression, string list) => $"{expression} NOT IN (SELECT value FROM json_each({list}))";

    // Nearly all text is ASCII, for which SQLite's own function does the same without a call into this program.
    public override string CaseFold(string expression) => $"CASE WHEN {expression} GLOB '*[^ -~]*' THEN casefold({expression}) ELSE lower({expression}) END";

    public override string TextOf(string parameter) => parameter;

    public override string Position(string needle, string bytes) => $"instr({bytes}, {needle})";

    public override string Order(string column, bool isDescending) => isDescending ? column + " DESC" : column + " ASC";

    public override List<string> Tables(CatalogSession session) =>
        session.Strings("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' AND name NOT LIKE 'keepfs!_%' ESCAPE '!' ORDER BY name");

    public override List<string> Columns(CatalogSession session, string table) => session.Strings("SELECT name FROM pragma_table_info(@p0)", table);

    public override void GivenIds(WriteSession session, string table)
    {
        // It always goes by the highest.
    }

    public override void LookAtData(WriteSession session)
    {
        // Its plans are those that it makes without; they stay the same.
    }

    public override DbParameter Parameter(string name, object? value) => new SqliteParameter { ParameterName = name, Value = ValueOf(value) };

    public override void Bind(DbParameter parameter, object? value) => parameter.Value = ValueOf(value);

    public override void ForgetStatements(DbConnection connection)
    {
        // They are gone with their commands.
    }

    public override ConstraintViolation? Violation(DbException error, string table)
    {
        if (error is not SqliteException { SqliteErrorCode: Constraint })
        {
            return null;
        }

        // "SQLite Error 19: 'UNIQUE constraint failed: groups.owner_uuid, groups.name'."
        var columns = error.Message.Split(':')[^1].Trim(' ', '\'', '.').Replace(table + ".", "", StringComparison.Ordinal);
        return new ConstraintViolation(error.Message.Contains("UNIQUE", StringComparison.Ordinal), columns);
    }

    private static object ValueOf(object? value) => value switch
    {
        null => DBNull.Value,
        SqlList list => list.Json,
        _ => value,
    };
}
