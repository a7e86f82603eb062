using KeepFs.Engine.Catalog;
using KeepFs.Engine.Client;
using KeepFs.Hosting.Configuration;

namespace KeepFs.WebDav.Sessions;

/// <summary>
/// The sessions by token: a bounded number, the least recently used goes first (keep-web.md 2.7). A session is only made here; whether its token
/// is any good shows with its first request to the catalogue, and <see cref="Forget"/> keeps bad ones from pushing good ones out. Safe for concurrent use.
/// </summary>
internal sealed class SessionTable(
    ClusterConfig config, KeepWebServerOptions options, HttpClient http, RoutedBlockSource routes, CachedBlockStore cache, ManifestCache manifests)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, LinkedListNode<Session>> _byToken = new(StringComparer.Ordinal);
    private readonly LinkedList<Session> _byUse = new();
    private long _hits;
    private long _misses;

    public long Hits => Interlocked.Read(ref _hits);

    public long Misses => Interlocked.Read(ref _misses);

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _byToken.Count;
            }
        }
    }

    public SessionLease Acquire(string token)
    {
        Session? evicted = null;
        Session session;
        lock (_lock)
        {
            if (_byToken.TryGetValue(token, out var node))
            {
                _hits++;
                _byUse.Remove(node);
                _byUse.AddLast(node);
                session = node.Value;
            }
            else
            {
                _misses++;
                session = Make(token);
                _byToken.Add(token, _byUse.AddLast(session));
                evicted = _byToken.Count > options.MaxSessions ? Evict(_byUse.First!) : null;
            }

            session.Users++;
        }

        evicted?.Close();
        return new SessionLease(this, session);
    }

    /// <summary>The catalogue does not know the token.</summary>
    public void Forget(Session session)
    {
        lock (_lock)
        {
            if (_byToken.TryGetValue(session.Token, out var node) && node.Value == session)
            {
                // Its holder closes it on release.
                Evict(node);
            }
        }
    }

    public void Release(Session session)
    {
        bool close;
        lock (_lock)
        {
            close = --session.Users == 0 && session.IsEvicted;
        }

        if (close)
        {
            session.Close();
        }
    }

    /// <summary>Returns the session if nobody uses it, so that the caller closes it outside the lock.</summary>
    private Session? Evict(LinkedListNode<Session> node)
    {
        var session = node.Value;
        _byUse.Remove(node);
        _byToken.Remove(session.Token);
        session.IsEvicted = true;
        manifests.Forget(session);
        return session.Users == 0 ? session : null;
    }

    private Session Make(string token)
    {
        var catalog = new CatalogClient(
            http, new CatalogClientOptions { ApiRoot = options.ApiRoot, Token = token, FirstRetryDelay = options.FirstRetryDelay, AsksForDav = true }, options.Time, Random.Shared);

        // Not disposed with the session: a fetch for another session may still use it, and all it holds is a semaphore without a handle.
        var services = new ServiceDirectory(http, options.ApiRoot, token, options.Time);
        var keep = new KeepClient(
            http, services,
            new KeepClientOptions
            {
                Token = token,
                DefaultReplicas = config.Collections.DefaultReplication,
                DefaultStorageClasses = [.. config.StorageClasses.Where(entry => entry.Value.Default).Select(entry => entry.Key)],
                FirstRetryDelay = options.FirstRetryDelay,
            },
            options.Time, Random.Shared, options.Hashing);
        var blocks = new SessionBlockStore(routes, cache, keep, routes.Add(keep));
        return new Session(token, catalog, catalog, catalog, blocks, manifests, options.Time, options.SessionLifetime);
    }
}
