namespace KeepFs.Catalog.Storage;

/// <summary>A reader in one snapshot; disposing gives it back. For one thread at a time.</summary>
internal sealed class CatalogSnapshot(CatalogSession session, Action giveBack, Action interrupt) : IDisposable
{
    private Action? _giveBack = giveBack;

    public CatalogSession Session => session;

    /// <summary>Ends the statement that runs, from another thread; never after the disposal.</summary>
    public void Interrupt() => interrupt();

    public void Dispose() => Interlocked.Exchange(ref _giveBack, null)?.Invoke();
}
