using System.Data;
using Npgsql;

namespace KeepFs.Catalog.Storage.Postgres;

/// <summary>
/// The catalogue in a PostgreSQL database, in a schema of its own (decision 0037). Several processes may use it: each batch of writes takes one lock, so that
/// whatever rests on there being one writer holds for all of them together.
/// </summary>
internal sealed class PostgresStore : CatalogStore
{
    /// <summary>Heard by every process after a commit; the payload says what was special about it.</summary>
    private const string Channel = "keepfs_catalog";

    /// <summary>The schema with the copy of all tables.</summary>
    private const string BaseSchema = "keepfs_base";

    private const string ReplacedPayload = "replaced";

    /// <summary>A process that has not written for so long is gone, or will write its row again.</summary>
    private const string ForgetWriters = "30 days";

    private static readonly TimeSpan ListenAgainAfter = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ForgetTemporaries = TimeSpan.FromDays(1);

    private readonly string _readers;
    private readonly string _writers;
    private readonly string _folder;

    // Tells which batches are this process's, also after its connection was lost.
    private readonly string _process = Guid.NewGuid().ToString("N");
    private volatile int _writerPid;

    private PostgresStore(NpgsqlConnectionStringBuilder connection, string folder)
    {
        _folder = folder;
        _readers = With(connection, "-c default_transaction_read_only=on");
        _writers = With(connection, "");
    }

    public override SqlDialect Dialect => PostgresDialect.Instance;

    /// <summary>Connects and brings the schema up to date.</summary>
    /// <param name="connection">Where; see <see cref="PostgresConnection"/>.</param>
    /// <param name="folder">For files that do not outlive their use.</param>
    /// <exception cref="InvalidOperationException">There is no connection, or the database cannot hold a catalogue; the message says why.</exception>
    public static PostgresStore Open(NpgsqlConnectionStringBuilder connection, string folder)
    {
        var name = PostgresConnection.Describe(connection);
        var store = new PostgresStore(connection, folder);
        try
        {
            using var migrating = new NpgsqlConnection(store._writers);
            migrating.Open();
            PostgresMigrations.Run(migrating, name);
            using var command = migrating.CreateCommand();
            command.CommandText = $"DELETE FROM keepfs_writers WHERE seen_at < now() - interval '{ForgetWriters}'; INSERT INTO keepfs_writers (process, batch, seen_at) VALUES ('{store._process}', 0, now())";
            command.ExecuteNonQuery();
        }
        catch (NpgsqlException e)
        {
            throw new InvalidOperationException($"The catalogue cannot use the {name}: {e.Message}", e);
        }

        store.RemoveTemporaries();
        return store;
    }

    public override CatalogConnection Connect(bool isWriter)
    {
        var connection = new NpgsqlConnection(isWriter ? _writers : _readers);
        try
        {
            connection.Open();
            if (isWriter)
            {
                _writerPid = connection.ProcessID;
            }

            return new CatalogConnection(connection, Dialect);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    public override void BeginRead(CatalogConnection connection, bool isEager)
    {
        // The driver sends it with the first statement.
        ((NpgsqlConnection)connection.Database).BeginTransaction(IsolationLevel.RepeatableRead);
        if (isEager)
        {
            connection.Execute("SELECT 1");
        }
    }

    public override void BeginWrite(CatalogConnection connection)
    {
        // Each statement sees what was committed before it, and with the lock nothing is committed meanwhile.
        ((NpgsqlConnection)connection.Database).BeginTransaction(IsolationLevel.ReadCommitted);
        connection.Execute(PostgresMigrations.Lock);
    }

    public override void Commit(CatalogConnection connection, long batch)
    {
        using var command = (NpgsqlCommand)connection.Database.CreateCommand();
#pragma warning disable CA2100 // A number and constants.
        command.CommandText = $"UPDATE keepfs_writers SET batch = {batch}, seen_at = now() WHERE process = '{_process}'; NOTIFY {Channel}; COMMIT";
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    public override bool WasCommitted(CatalogConnection connection, long batch)
    {
        // With the lock it is certain that the server has ended the transaction that we lost.
        BeginWrite(connection);
        var session = new CatalogSession(connection, DateTimeOffset.UnixEpoch);
        var committed = session.Count(session.Sql("SELECT coalesce(max(batch), 0) FROM keepfs_writers WHERE process = ").Value(_process)) >= batch;
        connection.Execute("ROLLBACK");
        return committed;
    }

    public override async Task ListenAsync(Action<bool> heard, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            try
            {
                await using var connection = new NpgsqlConnection(_readers);
                await connection.OpenAsync(ct);
                connection.Notification += (_, message) =>
                {
                    if (message.PID != _writerPid)
                    {
                        heard(message.Payload == ReplacedPayload);
                    }
                };
                await using (var listen = new NpgsqlCommand($"LISTEN {Channel}", connection))
                {
                    await listen.ExecuteNonQueryAsync(ct);
                }

                // Whatever was said while nobody listened.
                heard(false);
                while (true)
                {
                    await connection.WaitAsync(ct);
                }
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is NpgsqlException or IOException or TimeoutException)
            {
                // The server is restarted, perhaps.
                await Task.Delay(ListenAgainAfter, TimeProvider.System, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    public override void TellReplaced(WriteSession session) => session.Execute($"NOTIFY {Channel}, '{ReplacedPayload}'");

    public override void CopyTo(string path) => throw new ApiException(501, "the catalogue is kept in PostgreSQL, whose own tools copy it: pg_dump --schema=keepfs --format=custom DATABASE, and pg_restore");

    public override string TemporaryPath(string use) => Path.Join(_folder, $"catalog.temporary-{use}-{Guid.NewGuid():N}");

    public override bool HasBase(CatalogSession session) => session.Scalar("SELECT 1 FROM pg_namespace WHERE nspname = @p0", BaseSchema) is not null;

    public override void KeepBase(WriteSession session)
    {
        DropBase(session);
        session.Execute($"CREATE SCHEMA {BaseSchema}");
        foreach (var table in Dialect.Tables(session))
        {
            session.Execute($"CREATE TABLE {BaseSchema}.{table} AS TABLE {PostgresDialect.Schema}.{table}");
        }
    }

    public override void RestoreBase(WriteSession session, long revision)
    {
        foreach (var table in Dialect.Tables(session))
        {
            var columns = Dialect.Columns(session, table);
            session.Execute($"DELETE FROM {table}");
            session.Execute(session.Sql($"INSERT INTO {table} ({string.Join(", ", columns)}) SELECT ")
                .Join(", ", columns.Select<string, Action<SqlText>>(column => sql => _ = column == TableCopy.Revision ? sql.Append("CAST(").Value(revision).Append(" AS BIGINT)") : sql.Append(column)))
                .Append($" FROM {BaseSchema}.{table}"));
        }
    }

    public override void DropBase(WriteSession session) => session.Execute($"DROP SCHEMA IF EXISTS {BaseSchema} CASCADE");

    private static string With(NpgsqlConnectionStringBuilder connection, string options)
    {
        var own = new NpgsqlConnectionStringBuilder(connection.ConnectionString)
        {
            // Ours is bounded and keeps compiled statements.
            Pooling = false,
            ApplicationName = connection.ApplicationName ?? "keepfs-catalog",
            // Batches wait for those of other processes, an import among them.
            CommandTimeout = 0,
            // What goes several at once; other statements are compiled one by one.
            MaxAutoPrepare = 100,
            AutoPrepareMinUsages = 2,
            Timeout = Math.Min(connection.Timeout, 5),
            // Details hold values, and errors are logged.
            IncludeErrorDetail = false,
            // Queries are short; compiling them to machine code, or starting processes for them, costs more than it gains.
            Options = $"{connection.Options} -c search_path={PostgresDialect.Schema} -c synchronous_commit=on -c jit=off -c max_parallel_workers_per_gather=0 -c client_min_messages=warning {options}".Trim(),
        };
        if (!own.Host!.StartsWith('/'))
        {
            // Notices a server that is gone without a word.
            (own.TcpKeepAlive, own.TcpKeepAliveTime, own.TcpKeepAliveInterval) = (true, 30, 10);
        }

        return own.ConnectionString;
    }

    private void RemoveTemporaries()
    {
        // They hold secrets, as the database does. Younger ones may be another process's.
        Directory.CreateDirectory(_folder);
        foreach (var file in Directory.EnumerateFiles(_folder, "catalog.temporary-*").Where(file => File.GetLastWriteTimeUtc(file) < DateTime.UtcNow - ForgetTemporaries))
        {
            File.Delete(file);
        }
    }
}
