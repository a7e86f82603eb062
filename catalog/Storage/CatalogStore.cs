namespace KeepFs.Catalog.Storage;

/// <summary>
/// A database that holds a catalogue, with its schema up to date: makes connections and does what each database does in its own way. Safe for concurrent use.
/// </summary>
internal abstract class CatalogStore
{
    /// <summary>SQL of this database.</summary>
    public abstract SqlDialect Dialect { get; }

    /// <summary>A connection for reading or for the writer. The caller disposes it.</summary>
    public abstract CatalogConnection Connect();

    /// <summary>Begins a snapshot.</summary>
    public abstract void BeginRead(CatalogConnection connection);

    /// <summary>Begins a transaction beside which no other writes, in any process.</summary>
    public abstract void BeginWrite(CatalogConnection connection);

    /// <summary>Ends the statement that runs on the connection, from another thread; it then throws. Databases that cannot let it run.</summary>
    public virtual void Interrupt(CatalogConnection connection)
    {
    }

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
