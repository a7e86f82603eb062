using KeepFs.Engine.Catalog;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Locks;

/// <summary>
/// The locks of this process, used with a catalogue that keeps none (docs/decisions/0029): they bind WebDAV clients of this server only and are lost when it
/// ends. Safe for concurrent use.
/// </summary>
internal sealed class LockTable(TimeProvider time)
{
    /// <summary>A client needs a handful; beyond this number somebody leaks them.</summary>
    private const int MaxLocks = 10_000;

    /// <summary>As in our catalogue: a crashed client must not lock others out for a day.</summary>
    private const long MaxSeconds = 3600;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, (DavLock Lock, DateTimeOffset Expires)> _byToken = new(StringComparer.Ordinal);

    /// <summary>Adds a lock.</summary>
    /// <exception cref="CatalogException">As our catalogue says it: another lock is in the way.</exception>
    /// <exception cref="WebException">503: too many locks.</exception>
    public DavLock Add(DavLock wish, string holder)
    {
        lock (_lock)
        {
            if (In(wish.Uuid).FirstOrDefault(wish.Excludes) is { } other)
            {
                throw new CatalogException(CatalogErrorKind.Locked, "Another lock is in the way.") { LockedPath = other.Path };
            }

            if (_byToken.Count >= MaxLocks)
            {
                throw new WebException(StatusCodes.Status503ServiceUnavailable, "There are too many locks; try again later.");
            }

            var added = wish with { Token = $"opaquelocktoken:{Guid.NewGuid()}", Holder = holder };
            return Put(added, wish.Seconds);
        }
    }

    /// <summary>Makes a lock live longer; null when the holder has no such lock that covers the path.</summary>
    public DavLock? Refresh(DavLock wanted, string holder)
    {
        lock (_lock)
        {
            return Find(wanted) is { } found && found.Holder == holder ? Put(found, wanted.Seconds) : null;
        }
    }

    /// <summary>Ends a lock; null when there is none with that token that covers the path.</summary>
    /// <exception cref="WebException">403: it is somebody else's.</exception>
    public DavLock? Remove(DavLock ended, string holder)
    {
        lock (_lock)
        {
            if (Find(ended) is not { } found)
            {
                return null;
            }

            if (found.Holder != holder)
            {
                throw new WebException(StatusCodes.Status403Forbidden, "The lock belongs to somebody else.");
            }

            _byToken.Remove(found.Token);
            return found;
        }
    }

    /// <summary>The resource is gone, and its locks with it.</summary>
    public void RemoveTree(string uuid, string path)
    {
        lock (_lock)
        {
            foreach (var gone in _byToken.Values.Where(held => held.Lock.Uuid == uuid && (held.Lock.Path == path || held.Lock.LiesBelow(path))).ToArray())
            {
                _byToken.Remove(gone.Lock.Token);
            }
        }
    }

    /// <summary>The locks in a collection.</summary>
    public IReadOnlyList<DavLock> In(string uuid)
    {
        lock (_lock)
        {
            if (_byToken.Count == 0)
            {
                return [];
            }

            var now = time.GetUtcNow();
            foreach (var ended in _byToken.Values.Where(held => held.Expires <= now).ToArray())
            {
                _byToken.Remove(ended.Lock.Token);
            }

            return
            [
                .. _byToken.Values.Where(held => held.Lock.Uuid == uuid)
                    .Select(held => held.Lock with { Seconds = Math.Max(1, (long)(held.Expires - now).TotalSeconds) }),
            ];
        }
    }

    private DavLock? Find(DavLock wanted) => In(wanted.Uuid).FirstOrDefault(found => found.Token == wanted.Token && found.Covers(wanted.Path));

    private DavLock Put(DavLock held, long seconds)
    {
        var granted = held with { Seconds = Math.Clamp(seconds, 1, MaxSeconds) };
        _byToken[held.Token] = (granted, time.GetUtcNow().AddSeconds(granted.Seconds));
        return granted;
    }
}
