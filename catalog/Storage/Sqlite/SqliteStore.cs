using Microsoft.Data.Sqlite;

namespace KeepFs.Catalog.Storage.Sqlite;

/// <summary>
/// The catalogue in one SQLite file: WAL, so that readers and the writer do not wait for each other, and every commit on stable storage before it is
/// answered (synchronous=FULL). The file is created for its owner alone.
/// </summary>
internal sealed class SqliteStore : CatalogStore
{
    private const int BusyTimeoutMs = 10_000;

    /// <summary>A new record goes into a dozen indexes, at places far from each other: what is not here is read from the file for each (60,000 collections: 740 to 1,010 created a second).</summary>
    private const int WriterCacheKib = 48 << 10;

    /// <summary>There are many of them, and what they read is in the system's cache.</summary>
    private const int ReaderCacheKib = 2 << 10;
    private const string TemporaryMark = ".temporary-";

    private readonly string _path;
    private readonly string _connectionString;

    private SqliteStore(string path) => (_path, _connectionString) = (path, ConnectionString(path));

    public override SqlDialect Dialect => SqliteDialect.Instance;

    private string BasePath => _path + ".base";

    /// <summary>Opens or creates the file and brings its schema up to date.</summary>
    /// <exception cref="InvalidOperationException">The file was written by a newer program.</exception>
    public static SqliteStore Open(string path)
    {
        SQLitePCL.Batteries_V2.Init();
        CreatePrivateFile(path);
        RemoveTemporaries(path);
        var store = new SqliteStore(path);
        using var connection = store.Open();
        SqliteMigrations.Run(connection, path);
        return store;
    }

    public override CatalogConnection Connect(bool isWriter) => new(Open(isWriter ? WriterCacheKib : ReaderCacheKib), Dialect);

    public override void BeginRead(CatalogConnection connection, bool isEager) => connection.Execute("BEGIN");

    public override void BeginWrite(CatalogConnection connection) => connection.Execute("BEGIN IMMEDIATE");

    public override void Interrupt(CatalogConnection connection) => SQLitePCL.raw.sqlite3_interrupt(((SqliteConnection)connection.Database).Handle);

    public override void Commit(CatalogConnection connection, long batch) => connection.Execute("COMMIT");

    // There is no connection to lose: what failed was rolled back.
    public override bool WasCommitted(CatalogConnection connection, long batch) => false;

    // One process has the file.
    public override Task ListenAsync(Action<bool> heard, CancellationToken ct) => Task.CompletedTask;

    public override void TellReplaced(WriteSession session)
    {
        // One process has the file.
    }

    public override void CopyTo(string path)
    {
        CreatePrivateFile(path);
        using var source = Open();
        using var target = new SqliteConnection(ConnectionString(path));
        target.Open();
        source.BackupDatabase(target);
        using var command = target.CreateCommand();
        // One file, without a log beside it.
        command.CommandText = "PRAGMA journal_mode = DELETE";
        command.ExecuteNonQuery();
    }

    public override string TemporaryPath(string use) => $"{_path}{TemporaryMark}{use}-{Guid.NewGuid():N}";

    public override bool HasBase(CatalogSession session) => File.Exists(BasePath);

    public override void KeepBase(WriteSession session)
    {
        var path = BasePath + ".new";
        File.Delete(path);
        using (var copy = ScratchDatabase.Open(path, isKept: true, session.Now))
        {
            TableCopy.ReplaceAll(session, copy.Session, revision: 0);
            copy.Commit();
        }

        File.Move(path, BasePath, overwrite: true);
    }

    public override void RestoreBase(WriteSession session, long revision)
    {
        using var copy = ScratchDatabase.Open(BasePath, isKept: true, session.Now);
        TableCopy.ReplaceAll(copy.Session, session, revision);
    }

    public override void DropBase(WriteSession session) => File.Delete(BasePath);

    /// <summary>For a file that exists.</summary>
    public static string ConnectionString(string path) =>
        new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadWrite, Pooling = false }.ToString();

    /// <summary>Makes the file, readable by its owner alone, unless it is there.</summary>
    public static void CreatePrivateFile(string path)
    {
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder)
        {
            Directory.CreateDirectory(folder);
        }

        // SQLite gives its -wal and -shm files the mode of the database.
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var file = new FileStream(path, options);
    }

    private static void RemoveTemporaries(string path)
    {
        // They hold secrets, as the database does.
        var full = Path.GetFullPath(path);
        foreach (var file in Directory.EnumerateFiles(Path.GetDirectoryName(full)!, Path.GetFileName(full) + TemporaryMark + "*"))
        {
            File.Delete(file);
        }
    }

    private SqliteConnection Open(int cacheKib = ReaderCacheKib)
    {
        var connection = new SqliteConnection(_connectionString);
        try
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = $"""
                PRAGMA busy_timeout = {BusyTimeoutMs};
                PRAGMA journal_mode = WAL;
                PRAGMA synchronous = FULL;
                PRAGMA cache_size = -{cacheKib};
                PRAGMA foreign_keys = ON;
                PRAGMA case_sensitive_like = ON;
                """;
            command.ExecuteNonQuery();
            // SQLite's lower() knows ASCII only.
            connection.CreateFunction("casefold", (string? text) => text?.ToLowerInvariant(), isDeterministic: true);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }
}
