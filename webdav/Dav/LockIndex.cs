using KeepFs.Engine.Catalog;

namespace KeepFs.WebDav.Dav;

/// <summary>The locks of a listing by what they lock, so that an entry finds its own without looking through all.</summary>
internal sealed class LockIndex(IEnumerable<DavLock> locks)
{
    private readonly ILookup<(string Uuid, string Path), DavLock> _byPath = locks.ToLookup(found => (found.Uuid, found.Path));

    /// <summary>The locks that protect a resource: its own, and those of depth infinity above it.</summary>
    public IEnumerable<DavLock> Of(string uuid, string path)
    {
        if (_byPath.Count == 0)
        {
            yield break;
        }

        for (var (at, isSelf) = (path, true); ; isSelf = false)
        {
            foreach (var found in _byPath[(uuid, at)])
            {
                if (isSelf || found.IsInfinite)
                {
                    yield return found;
                }
            }

            if (at.Length == 0)
            {
                yield break;
            }

            at = at.LastIndexOf('/') is > 0 and var slash ? at[..slash] : "";
        }
    }
}
