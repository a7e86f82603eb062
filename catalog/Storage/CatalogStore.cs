namespace KeepFs.Catalog.Storage;

/// <summary>
/// A database that holds a catalogue, with its schema up to date: makes connections and does what each database does in its own way. Safe for concurrent use.
/// </summary>
internal abstract class CatalogStore
{
    /// <summary>How often a connection is tried for before the database counts as not there: five seconds, in which a server restarts.</summary>
    public const int MaxAttempts = 25;

    /// <summary>Milliseconds between the attempts.</summary>
    public const int AttemptAfter = 200;

    /// <summary>SQL of this database.</summary>
    public abstract SqlDialect Dialect { get; }

    /// <summary>A connection. The caller disposes it.</summary>
    /// <param name="isWriter">False for one that only reads.</param>
    public abstract CatalogConnection Connect(bool isWriter);

    /// <summary>Begins a snapshot.</summary>
    /// <param name="connection">Of a reader.</param>
    /// <param name="isEager">The snapshot is as of now and the connection works; otherwise both is so with the first statement only.</param>
    public abstract void BeginRead(CatalogConnection connection, bool isEager);

    /// <summary>Begins a transaction beside which no other writes, in any process.</summary>
    public abstract void BeginWrite(CatalogConnection connection);

    /// <summary>Ends the statement that runs on the connection, from another thread; it then throws. Databases that cannot let it run.</summary>
    public virtual void Interrupt(CatalogConnection connection)
    {
    }

    /// <summary>Ends the transaction of a batch; it is on stable storage afterwards.</summary>
    /// <param name="connection">Of the writer.</param>
    /// <param name="batch">A number of this process, higher than that of the batch before.</param>
    public abstract void Commit(CatalogConnection connection, long batch);

    /// <summary>Whether a batch was committed whose <see cref="Commit"/> ended with a lost connection; asked on a new one.</summary>
    public abstract bool WasCommitted(CatalogConnection connection, long batch);

    /// <summary>Listens to other processes until it is cancelled.</summary>
    /// <param name="heard">Called after their commits, perhaps once for several; true when records came from elsewhere (<see cref="TellReplaced"/>).</param>
    /// <param name="ct">Ends it.</param>
    public abstract Task ListenAsync(Action<bool> heard, CancellationToken ct);

    /// <summary>Other processes shall hear that this transaction brings records from elsewhere.</summary>
    public abstract void TellReplaced(WriteSession session);

    /// <summary>Copies the whole database as of one moment into a new file, beside requests; writers go on.</summary>
    public abstract void CopyTo(string path);

    /// <summary>A name for a file that does not outlive its use, where only the server's user reads; what a crash leaves is removed at the next start.</summary>
    public abstract string TemporaryPath(string use);

    /// <summary>A copy of all tables is kept aside (<see cref="KeepBase"/>).</summary>
    public abstract bool HasBase(CatalogSession session);

    /// <summary>Keeps a copy of all tables as the transaction sees them, in place of the one before.</summary>
    public abstract void KeepBase(WriteSession session);

    /// <summary>Makes all tables equal to the copy.</summary>
    /// <param name="session">The transaction.</param>
    /// <param name="revision">For every row that has one.</param>
    public abstract void RestoreBase(WriteSession session, long revision);

    /// <summary>Forgets the copy.</summary>
    public abstract void DropBase(WriteSession session);
}
