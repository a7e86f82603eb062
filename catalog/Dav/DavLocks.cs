using KeepFs.Catalog.Permissions;
using KeepFs.Catalog.Records;
using KeepFs.Catalog.Storage;
using KeepFs.Engine.Catalog;

namespace KeepFs.Catalog.Dav;

/// <summary>The table of locks. Expired ones count as gone; their rows go with the next lock in their collection or with the sweep.</summary>
internal static class DavLocks
{
    /// <summary>Clients refresh every few minutes; a crashed one must not lock others out for a day.</summary>
    private const long MaxSeconds = 3600;

    /// <summary>An editor holds a handful; beyond this number somebody leaks them, and every write of the collection would look through them all.</summary>
    private const long MaxInCollection = 2000;

    private const int MaxOwnerLength = 4 << 10;

    private const string Columns = "token, uuid, path, is_shared, is_infinite, holder, expires_at, owner";

    public static List<DavLock> In(CatalogSession session, string uuid) =>
        session.Read($"SELECT {Columns} FROM dav_locks WHERE uuid = @p0 AND expires_at > @p1", row => Of(row, session.Now), uuid, session.NowText);

    /// <summary>Of those locks, the ones on whole collections.</summary>
    public static List<DavLock> OnRoots(CatalogSession session, IEnumerable<string> uuids) =>
        [.. uuids.SelectMany(uuid => In(session, uuid)).Where(found => found.Path.Length == 0)];

    public static DavLock Add(WriteSession session, Caller caller, DavLockRequest request)
    {
        var wish = request.Lock;
        session.Execute("DELETE FROM dav_locks WHERE uuid = @p0 AND expires_at <= @p1", wish.Uuid, session.NowText);
        var present = In(session, wish.Uuid);
        if (present.Find(wish.Excludes) is { } other)
        {
            throw ApiException.DavLocked(other.Path);
        }

        if (request.CreatesWithTokens is { } tokens)
        {
            Require(present, caller, new DavWrite { Path = wish.Path, ChangesParent = true, Tokens = tokens });
        }

        if (present.Count >= MaxInCollection)
        {
            throw ApiException.Invalid($"{wish.Uuid} has {present.Count} locks already; no more are given");
        }

        if (wish.Owner is { Length: > MaxOwnerLength })
        {
            throw ApiException.Invalid($"the owner element of a lock must not be longer than {MaxOwnerLength} characters");
        }

        var seconds = Math.Clamp(wish.Seconds, 1, MaxSeconds);
        var added = wish with { Token = $"opaquelocktoken:{Guid.NewGuid()}", Holder = caller.UserUuid, Seconds = seconds };
        session.Execute(
            $"INSERT INTO dav_locks ({Columns}) VALUES (@p0, @p1, @p2, @p3, @p4, @p5, @p6, @p7)",
            added.Token, added.Uuid, DavPath.Key(added.Path), added.IsShared ? 1L : 0L, added.IsInfinite ? 1L : 0L, added.Holder,
            Timestamp.Format(session.Now.AddSeconds(seconds)), added.Owner);
        return added;
    }

    /// <summary>Null when the caller has no such lock that covers the path.</summary>
    public static DavLock? Refresh(WriteSession session, Caller caller, string token, string uuid, string path, long seconds)
    {
        if (Find(session, token, uuid, path) is not { } found || found.Holder != caller.UserUuid)
        {
            return null;
        }

        seconds = Math.Clamp(seconds, 1, MaxSeconds);
        session.Execute("UPDATE dav_locks SET expires_at = @p0 WHERE token = @p1", Timestamp.Format(session.Now.AddSeconds(seconds)), token);
        return found with { Seconds = seconds };
    }

    /// <summary>Null when there is no such lock that covers the path; 403 when it is somebody else's. An admin may end any.</summary>
    public static DavLock? Remove(WriteSession session, Caller caller, string token, string uuid, string path)
    {
        if (Find(session, token, uuid, path) is not { } found)
        {
            return null;
        }

        if (found.Holder != caller.UserUuid && !caller.IsAdmin)
        {
            throw ApiException.Forbidden("the lock belongs to somebody else");
        }

        session.Execute("DELETE FROM dav_locks WHERE token = @p0", token);
        return found;
    }

    /// <summary>Throws 423 unless every write has a token for each lock that it meets.</summary>
    public static void Require(IReadOnlyCollection<DavLock> locks, Caller caller, params ReadOnlySpan<DavWrite> writes)
    {
        foreach (var write in locks.Count == 0 ? [] : writes)
        {
            if (write.FindObstacle(locks, caller.UserUuid) is { } obstacle)
            {
                throw ApiException.DavLocked(obstacle.Path);
            }
        }
    }

    public static void RemoveTree(WriteSession session, string uuid, byte[] key, bool itself)
    {
        var (from, to) = DavPath.Below(key);
        session.Execute("DELETE FROM dav_locks WHERE uuid = @p0 AND path >= @p1 AND path < @p2", uuid, from, to);
        if (itself)
        {
            session.Execute("DELETE FROM dav_locks WHERE uuid = @p0 AND path = @p1", uuid, key);
        }
    }

    public static void RemoveAll(WriteSession session, string uuid) => session.Execute("DELETE FROM dav_locks WHERE uuid = @p0", uuid);

    public static void RemoveExpired(WriteSession session) => session.Execute("DELETE FROM dav_locks WHERE expires_at <= @p0", session.NowText);

    private static DavLock? Find(CatalogSession session, string token, string uuid, string path) =>
        In(session, uuid).Find(found => found.Token == token && found.Covers(path));

    private static DavLock Of(System.Data.Common.DbDataReader row, DateTimeOffset now) => new()
    {
        Token = row.GetString(0),
        Uuid = row.GetString(1),
        Path = DavPath.Text((byte[])row.GetValue(2)),
        IsShared = row.GetInt64(3) != 0,
        IsInfinite = row.GetInt64(4) != 0,
        Holder = row.GetString(5),
        Seconds = Math.Max(1, (long)(Timestamp.Parse(row.GetString(6)) - now).TotalSeconds),
        Owner = row.IsDBNull(7) ? null : row.GetString(7),
    };
}
