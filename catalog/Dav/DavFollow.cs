using KeepFs.Catalog.Collections;
using KeepFs.Catalog.Permissions;
using KeepFs.Catalog.Records;
using KeepFs.Catalog.Storage;
using KeepFs.Engine.Catalog;
using KeepFs.Engine.Manifests;

namespace KeepFs.Catalog.Dav;

/// <summary>
/// Locks and dead properties of a collection while it changes, whoever changes it: what <c>current/...</c> copies keeps its properties, what moves takes
/// them along, what is removed loses properties and locks, a replaced file keeps both. Lives for one transaction.
/// </summary>
internal readonly struct DavFollow
{
    private readonly WriteSession _session;
    private readonly Caller _caller;
    private readonly string _uuid;
    private readonly DavChange? _change;
    private readonly bool _hasLocks;
    private readonly bool _hasProperties;

    private DavFollow(WriteSession session, Caller caller, string uuid, DavChange? change)
    {
        (_session, _caller, _uuid, _change) = (session, caller, uuid, change);
        (_hasLocks, _hasProperties) = DavState.Of(session, uuid);
    }

    /// <summary>Checks the locks, if the change came over WebDAV; 423 when one is in the way.</summary>
    public static DavFollow Begin(WriteSession session, Caller caller, string uuid, DavChange? change)
    {
        var follow = new DavFollow(session, caller, uuid, change);
        if (follow._hasLocks && change is not null)
        {
            DavLocks.Require(DavLocks.In(session, uuid), caller, [.. change.Writes]);
        }

        if (follow._hasLocks && change is { EndsLocks: true })
        {
            DavLocks.RemoveAll(session, uuid);
        }

        return follow;
    }

    /// <summary>The content was saved.</summary>
    /// <param name="replace">How it came about; null = it came as a whole.</param>
    /// <param name="manifest">The new one, even if it is as it was (a copy of equal bytes brings other properties); null when the content was not touched.</param>
    public void Content(ReplaceFiles? replace, byte[]? manifest)
    {
        if (manifest is null || (!_hasLocks && !_hasProperties))
        {
            return;
        }

        if (replace is null)
        {
            Prune([], manifest, itself: false);
            return;
        }

        const string Current = "current/";
        foreach (var (target, source) in replace.Entries.Where(entry => entry.Source.StartsWith(Current, StringComparison.Ordinal)))
        {
            DavProperties.Copy(_session, _uuid, DavPath.Key(source[Current.Length..]), _uuid, DavPath.Key(target), recursive: true);
        }

        foreach (var (target, source) in replace.Entries)
        {
            var key = DavPath.Key(target);
            if (source.Length == 0 && target != "/")
            {
                DavLocks.RemoveTree(_session, _uuid, key, itself: true);
                DavProperties.RemoveTree(_session, _uuid, key, itself: true, below: true);
            }
            else
            {
                Prune(key, manifest, itself: target != "/");
            }
        }
    }

    /// <summary>Takes over what the request asked for.</summary>
    public void Copies()
    {
        foreach (var copy in _change?.Copies ?? [])
        {
            if (copy.FromUuid != _uuid
                && RecordStore.FindVisible(_session, Projection.Of(RecordTypes.Collections, ["uuid"], inList: false), copy.FromUuid, _caller, includeTrash: false) is null)
            {
                throw ApiException.NotFound($"keepfs_dav: no readable collection {copy.FromUuid}");
            }

            DavProperties.Copy(_session, copy.FromUuid, DavPath.Key(copy.FromPath), _uuid, DavPath.Key(copy.ToPath), copy.IsRecursive);
        }
    }

    /// <summary>Drops what belongs to paths that are not there any more.</summary>
    private void Prune(byte[] key, byte[] manifest, bool itself)
    {
        var (session, uuid) = (_session, _uuid);
        var keys = DavProperties.KeysIn(session, uuid, key);
        var locks = _hasLocks ? DavLocks.In(session, uuid).ConvertAll(found => DavPath.Key(found.Path)) : [];
        var (from, to) = DavPath.Below(key);
        keys.AddRange(locks.Where(found => (itself && found.AsSpan().SequenceEqual(key)) || (found.AsSpan().SequenceCompareTo(from) >= 0 && found.AsSpan().SequenceCompareTo(to) < 0)));
        if (keys.Count == 0 || (keys.Count == 1 && keys[0].AsSpan().SequenceEqual(key)))
        {
            // The usual case, a replaced file: no need to look into the new content.
            return;
        }

        var tree = ManifestTree.Load(manifest);
        foreach (var gone in keys.Where(found => tree.Find(DavPath.Text(found)) is null))
        {
            DavLocks.RemoveTree(session, uuid, gone, itself: true);
            DavProperties.RemoveTree(session, uuid, gone, itself: true, below: true);
        }
    }
}
