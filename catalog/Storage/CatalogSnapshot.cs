namespace KeepFs.Catalog.Storage;

/// <summary>A reader in one snapshot; disposing gives it back. For one thread at a time.</summary>
internal sealed class CatalogSnapshot(CatalogSession session, Action giveBack) : IDisposable
{
    private Action? _giveBack = giveBack;

    public CatalogSession Session => session;

    public void Dispose() => Interlocked.Exchange(ref _giveBack, null)?.Invoke();
}
