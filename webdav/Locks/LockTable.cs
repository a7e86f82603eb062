using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Locks;

/// <summary>
/// The locks of this process (RFC 4918 sections 6 and 7). They bind WebDAV clients of this server; they are lost when it ends, and mounts, other
/// servers and the API do not know them: what protects data from those is that every save is a change of single paths. Safe for concurrent use.
/// </summary>
internal sealed class LockTable(TimeProvider time)
{
    /// <summary>A client needs a handful; beyond this number somebody leaks them.</summary>
    private const int MaxLocks = 10_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, DavLock> _byToken = new(StringComparer.Ordinal);

    /// <summary>Adds a lock.</summary>
    /// <exception cref="WebException">423: another lock is in the way; 503: too many locks.</exception>
    public void Add(DavLock added)
    {
        lock (_lock)
        {
            Purge();
            if (_byToken.Values.Any(other => !(other.IsShared && added.IsShared) && (other.Covers(added.Key) || (added.IsInfinite && other.LiesBelow(added.Key)))))
            {
                throw Locked("no-conflicting-lock");
            }

            if (_byToken.Count >= MaxLocks)
            {
                throw new WebException(StatusCodes.Status503ServiceUnavailable, "There are too many locks; try again later.");
            }

            _byToken.Add(added.Token, added);
        }
    }

    /// <summary>Makes a lock live longer; null when none of the tokens is one of the holder's that covers the resource.</summary>
    public DavLock? Refresh(IEnumerable<string> tokens, string key, string holder, TimeSpan lifetime)
    {
        lock (_lock)
        {
            Purge();
            foreach (var token in tokens)
            {
                if (_byToken.TryGetValue(token, out var found) && found.Holder == holder && found.Covers(key))
                {
                    return _byToken[token] = found with { Lifetime = lifetime, Expires = time.GetUtcNow() + lifetime };
                }
            }

            return null;
        }
    }

    /// <summary>Ends a lock; false when there is none with that token on the resource.</summary>
    /// <exception cref="WebException">403: it is somebody else's.</exception>
    public bool Remove(string token, string key, string holder)
    {
        lock (_lock)
        {
            Purge();
            if (!_byToken.TryGetValue(token, out var found) || !found.Covers(key))
            {
                return false;
            }

            return found.Holder == holder ? _byToken.Remove(token) : throw new WebException(StatusCodes.Status403Forbidden, "The lock belongs to somebody else.");
        }
    }

    /// <summary>The resource is gone, and its locks with it.</summary>
    public void RemoveTree(string key)
    {
        lock (_lock)
        {
            foreach (var gone in _byToken.Values.Where(found => found.Key == key || found.LiesBelow(key)).ToArray())
            {
                _byToken.Remove(gone.Token);
            }
        }
    }

    /// <summary>Locks that protect the resource.</summary>
    public IReadOnlyList<DavLock> Of(string key)
    {
        lock (_lock)
        {
            Purge();
            return _byToken.Count == 0 ? [] : [.. _byToken.Values.Where(found => found.Covers(key))];
        }
    }

    /// <summary>Throws 423 unless the holder submitted a token for every lock that the write meets.</summary>
    /// <param name="key">The resource that is written.</param>
    /// <param name="isRecursive">Everything below is written too.</param>
    /// <param name="changesParent">The resource appears in or disappears from its directory.</param>
    /// <param name="submitted">Tokens of the If header.</param>
    /// <param name="holder">The API token of the request.</param>
    public void Require(string key, bool isRecursive, bool changesParent, IReadOnlyCollection<string> submitted, string holder)
    {
        var slash = key.LastIndexOf('/');
        var parent = changesParent && slash > 0 ? key[..slash] : null;
        lock (_lock)
        {
            Purge();
            var met = _byToken.Values.Where(found => found.Covers(key) || found.Key == parent || (isRecursive && found.LiesBelow(key)));

            // Of several shared locks on one resource one token is enough.
            foreach (var group in met.GroupBy(found => found.Key))
            {
                if (!group.Any(found => found.Holder == holder && submitted.Contains(found.Token)))
                {
                    throw Locked("lock-token-submitted");
                }
            }
        }
    }

    private static WebException Locked(string precondition) => new(StatusCodes.Status423Locked, "The resource is locked.") { Precondition = precondition };

    private void Purge()
    {
        if (_byToken.Count == 0)
        {
            return;
        }

        var now = time.GetUtcNow();
        foreach (var ended in _byToken.Values.Where(found => found.Expires <= now).ToArray())
        {
            _byToken.Remove(ended.Token);
        }
    }
}
