using Microsoft.Data.Sqlite;

namespace KeepFs.Catalog.Exchange;

/// <summary>Looks at copies of a catalogue's database, wherever they are. Safe for concurrent use.</summary>
public static class CatalogBackup
{
    /// <summary>What <see cref="Counts"/> said where the copy was made.</summary>
    public const string CountsHeader = "X-KeepFs-Records";

    /// <summary>The number of rows of each table, such as <c>collections=12, groups=6</c>.</summary>
    /// <param name="path">The file; it is only read.</param>
    /// <exception cref="InvalidDataException">It is no database.</exception>
    public static string Counts(string path)
    {
        using var connection = Open(path);
        return string.Join(", ", Strings(connection, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY name")
            .Select(table => $"{table}={Strings(connection, $"SELECT count(*) FROM {table}").Single()}"));
    }

    /// <summary>Reads everything and compares it with the indexes (SQLite's integrity_check).</summary>
    /// <param name="path">The file; it is only read.</param>
    /// <exception cref="InvalidDataException">Something is damaged; the message says what.</exception>
    public static void Verify(string path)
    {
        using var connection = Open(path);
        var faults = Strings(connection, "PRAGMA integrity_check(10)");
        if (faults is not ["ok"])
        {
            throw new InvalidDataException($"{path} is damaged: {string.Join("; ", faults)}");
        }
    }

    private static SqliteConnection Open(string path)
    {
        SQLitePCL.Batteries_V2.Init();
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ToString());
        try
        {
            connection.Open();
            return connection;
        }
        catch (SqliteException e)
        {
            connection.Dispose();
            throw new InvalidDataException($"{path} cannot be read as a database: {e.Message}", e);
        }
    }

    private static List<string> Strings(SqliteConnection connection, string sql)
    {
        try
        {
            using var command = connection.CreateCommand();
#pragma warning disable CA2100 // Names of tables come from the file's own schema.
            command.CommandText = sql;
#pragma warning restore CA2100
            using var reader = command.ExecuteReader();
            var list = new List<string>();
            while (reader.Read())
            {
                list.Add(reader.GetString(0));
            }

            return list;
        }
        catch (SqliteException e)
        {
            throw new InvalidDataException($"{connection.DataSource} cannot be read as a database: {e.Message}", e);
        }
    }
}
