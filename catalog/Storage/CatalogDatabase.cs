using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;

namespace KeepFs.Catalog.Storage;

/// <summary>
/// The catalogue's SQLite file: one writer with group commit, a bounded pool of readers (WAL), every commit on stable storage before it
/// is answered (synchronous=FULL). The file is created for its owner alone. Safe for concurrent use.
/// </summary>
internal sealed class CatalogDatabase : IAsyncDisposable
{
    // Readers work on a thread of the pool each; more of them than this only adds memory for page caches.
    private const int MaxReaders = 32;
    private const int BusyTimeoutMs = 10_000;
    private const string TemporaryMark = ".temporary-";

    private readonly string _connectionString;
    private readonly TimeProvider _time;
    private readonly ConcurrentBag<CatalogConnection> _idle = [];
    private readonly SemaphoreSlim _readers = new(MaxReaders);
    private readonly CommitQueue _writer;

    private CatalogDatabase(string connectionString, TimeProvider time, CommitQueue writer)
    {
        (_connectionString, _time, _writer) = (connectionString, time, writer);
    }

    /// <summary>The file.</summary>
    public string FilePath { get; private init; } = "";

    /// <summary>Transactions committed so far.</summary>
    public long Commits => _writer.Commits;

    /// <summary>Writes in them; more than one share a transaction under load.</summary>
    public long Writes => _writer.Writes;

    /// <summary>Completes with the next commit. Whoever takes it before he reads does not miss one.</summary>
    public Task Committed => _writer.Committed;

    /// <summary>Opens or creates the file and brings its schema up to date.</summary>
    /// <exception cref="InvalidOperationException">The file was written by a newer program.</exception>
    public static CatalogDatabase Open(string path, TimeProvider time)
    {
        SQLitePCL.Batteries_V2.Init();
        CreatePrivateFile(path);
        RemoveTemporaries(path);
        var connectionString = new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadWrite, Pooling = false }.ToString();
        var connection = Connect(connectionString);
        try
        {
            Migrations.Run(connection, path);
        }
        catch
        {
            connection.Dispose();
            throw;
        }

        return new CatalogDatabase(connectionString, time, new CommitQueue(new CatalogConnection(connection), time)) { FilePath = path };
    }

    /// <summary>Runs a read in one snapshot. Waits for a free reader.</summary>
    public async Task<T> ReadAsync<T>(Func<CatalogSession, T> read, CancellationToken ct)
    {
        using var snapshot = await OpenSnapshotAsync(ct);
        return read(snapshot.Session);
    }

    /// <summary>
    /// One snapshot for a read of many steps. It holds one of the readers until it is disposed, and SQLite keeps everything that is written meanwhile in its log.
    /// </summary>
    public async Task<CatalogSnapshot> OpenSnapshotAsync(CancellationToken ct)
    {
        await _readers.WaitAsync(ct);
        try
        {
            if (!_idle.TryTake(out var connection))
            {
                connection = new CatalogConnection(Connect(_connectionString));
            }

            try
            {
                connection.Execute("BEGIN");
                return new CatalogSnapshot(new CatalogSession(connection, _time.GetUtcNow()), () => Return(connection));
            }
            catch
            {
                _idle.Add(connection);
                throw;
            }
        }
        catch
        {
            _readers.Release();
            throw;
        }
    }

    /// <summary>Copies the whole database as of one moment into a new file, beside requests; writers go on.</summary>
    public void CopyTo(string path)
    {
        CreatePrivateFile(path);
        using var source = Connect(_connectionString);
        using var target = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadWrite, Pooling = false }.ToString());
        target.Open();
        source.BackupDatabase(target);
        using var command = target.CreateCommand();
        // One file, without a log beside it.
        command.CommandText = "PRAGMA journal_mode = DELETE";
        command.ExecuteNonQuery();
    }

    /// <summary>Runs a write in the order of arrival; completes when its transaction is on stable storage.</summary>
    public Task<T> WriteAsync<T>(Func<WriteSession, T> write, CancellationToken ct) => _writer.EnqueueAsync(write, ct);

    public async ValueTask DisposeAsync()
    {
        await _writer.DisposeAsync();
        foreach (var connection in _idle)
        {
            await connection.DisposeAsync();
        }

        _readers.Dispose();
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

    private void Return(CatalogConnection connection)
    {
        try
        {
            connection.Execute("ROLLBACK");
        }
        finally
        {
            _idle.Add(connection);
            _readers.Release();
        }
    }

    private static SqliteConnection Connect(string connectionString)
    {
        var connection = new SqliteConnection(connectionString);
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = $"""
            PRAGMA busy_timeout = {BusyTimeoutMs};
            PRAGMA journal_mode = WAL;
            PRAGMA synchronous = FULL;
            PRAGMA foreign_keys = ON;
            PRAGMA case_sensitive_like = ON;
            """;
        command.ExecuteNonQuery();
        // SQLite's lower() knows ASCII only.
        connection.CreateFunction("casefold", (string? text) => text?.ToLowerInvariant(), isDeterministic: true);
        return connection;
    }

    /// <summary>A name beside the database for a file that does not outlive its use; what a crash leaves is removed at the next start.</summary>
    public string TemporaryPath(string use) => $"{FilePath}{TemporaryMark}{use}-{Guid.NewGuid():N}";

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
}
