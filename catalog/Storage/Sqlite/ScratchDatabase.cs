using Microsoft.Data.Sqlite;

namespace KeepFs.Catalog.Storage.Sqlite;

/// <summary>
/// A SQLite database with the tables of the catalogue in a file of its own: records on their way in, whatever database they go to, or a state kept aside.
/// For one thread at a time.
/// </summary>
internal sealed class ScratchDatabase : IDisposable
{
    private readonly CatalogConnection _connection;

    private ScratchDatabase(CatalogConnection connection, DateTimeOffset now)
    {
        _connection = connection;
        Session = new WriteSession(connection, now);
    }

    /// <summary>One transaction, from the start to <see cref="Commit"/>.</summary>
    public WriteSession Session { get; }

    /// <summary>Opens or makes the file and brings its tables up to date.</summary>
    /// <param name="path">The file, for its owner alone.</param>
    /// <param name="isKept">False for a file that is thrown away after a crash: nothing waits for the disk.</param>
    /// <param name="now">The time of the session.</param>
    public static ScratchDatabase Open(string path, bool isKept, DateTimeOffset now)
    {
        SQLitePCL.Batteries_V2.Init();
        SqliteStore.CreatePrivateFile(path);
        var connection = new SqliteConnection(SqliteStore.ConnectionString(path));
        try
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = isKept ? "PRAGMA journal_mode = DELETE" : "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF";
            command.ExecuteNonQuery();
            SqliteMigrations.Run(connection, path);
            var scratch = new ScratchDatabase(new CatalogConnection(connection, SqliteDialect.Instance), now);
            scratch.Session.Execute("BEGIN");
            return scratch;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    public void Commit() => Session.Execute("COMMIT");

    public void Dispose() => _connection.Dispose();
}
