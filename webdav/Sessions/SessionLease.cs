namespace KeepFs.WebDav.Sessions;

/// <summary>Keeps a session alive for one request. Dispose exactly once.</summary>
internal readonly struct SessionLease(SessionTable table, Session session) : IDisposable
{
    public Session Session => session;

    public void Dispose() => table.Release(session);
}
