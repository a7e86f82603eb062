using KeepFs.Catalog.References;
using KeepFs.Catalog.Services;
using KeepFs.Catalog.Storage;
using KeepFs.Catalog.Tokens;
using KeepFs.Catalog.Users;

namespace KeepFs.Catalog.Exchange;

/// <summary>
/// What a catalogue begins with: what its start makes sure of and, in test mode, a copy of the state after the last import (or the first start), to which a
/// reset returns (docs/decisions/0035-catalog-export.md). Everything here runs inside the one writer.
/// </summary>
internal sealed class BaseState(CatalogContext catalog, bool isTestMode)
{
    private readonly List<EnsuredUser> _ensured = [];
    private readonly UserWriter _users = new(catalog);
    private readonly TokenWriter _tokens = new(catalog);
    private bool _followsStart;

    public bool IsTestMode => isTestMode;

    /// <summary>After the records that every cluster has were made.</summary>
    public void Started(WriteSession session)
    {
        // An earlier start of a test server has kept what it was to be.
        _followsStart = isTestMode && !catalog.Database.Store.HasBase(session);
        KeepIfStarting(session);
    }

    /// <summary>Makes the user and the token, now and after every import and reset.</summary>
    public void Ensure(WriteSession session, EnsuredUser user)
    {
        Make(session, user);
        _ensured.RemoveAll(other => other.TokenUuid == user.TokenUuid);
        _ensured.Add(user);
        KeepIfStarting(session);
    }

    /// <summary>Nothing but what the start made: an import then replaces all of it.</summary>
    public bool IsFresh(CatalogSession session)
    {
        var sql = session.Dialect;
        return session.Scalar(
            $"""
            SELECT CASE WHEN EXISTS (SELECT 1 FROM collections WHERE substr(uuid, 1, length(@p3)) <> @p3)
                OR EXISTS (SELECT 1 FROM groups WHERE {sql.NotIn("uuid", "@p0")})
                OR EXISTS (SELECT 1 FROM users WHERE {sql.NotIn("uuid", "@p0")} AND {sql.NotIn("coalesce(username, '')", "@p1")})
                OR EXISTS (SELECT 1 FROM links WHERE link_class <> 'permission' OR {sql.NotIn("head_uuid", "@p0")})
                OR EXISTS (SELECT 1 FROM api_client_authorizations WHERE {sql.NotIn("uuid", "@p2")})
                OR EXISTS (SELECT 1 FROM keep_services WHERE from_config = 0) THEN 1 ELSE 0 END
            """,
            SqlList.Of([.. catalog.Uuids.WellKnown, catalog.Uuids.CheckpointProject]), SqlList.Of(_ensured.Select(user => user.Username)), SqlList.Of(_ensured.Select(user => user.TokenUuid)),
            catalog.Uuids.CheckpointPrefix) is 0L;
    }

    /// <summary>Empties every table; the users that were ensured, so that <see cref="EnsureAgain"/> gives them their old UUIDs.</summary>
    public Dictionary<string, string> Clear(WriteSession session)
    {
        var users = new Dictionary<string, string>(StringComparer.Ordinal);
        session.Each(
            $"SELECT username, uuid FROM users WHERE {session.Dialect.In("username", "@p0")}",
            row => users[row.GetString(0)] = row.GetString(1), SqlList.Of(_ensured.Select(user => user.Username)));
        foreach (var table in session.Dialect.Tables(session))
        {
            session.Execute($"DELETE FROM {table}");
        }

        return users;
    }

    /// <summary>What the start makes sure of holds after records were exchanged, too: the administrator's token goes on working.</summary>
    public void EnsureAgain(WriteSession session, Dictionary<string, string> formerUsers)
    {
        Bootstrap.Run(session, catalog);
        foreach (var user in _ensured)
        {
            if (formerUsers.TryGetValue(user.Username, out var uuid) && session.Scalar("SELECT 1 FROM users WHERE uuid = @p0 OR username = @p1", uuid, user.Username) is null)
            {
                _users.Insert(session, Bootstrap.SystemCaller(catalog.Uuids), new Dictionary<string, object?>
                {
                    ["uuid"] = uuid,
                    ["username"] = user.Username,
                    ["first_name"] = user.Username,
                });
            }

            Make(session, user);
        }
    }

    /// <summary>The state that this transaction makes is the one to return to.</summary>
    public void Imported(WriteSession session)
    {
        _followsStart = false;
        catalog.Database.Store.TellReplaced(session);
        if (isTestMode)
        {
            catalog.Database.Store.KeepBase(session);
        }
        else
        {
            catalog.Database.Store.DropBase(session);
        }
    }

    /// <summary>Returns to the copy.</summary>
    public void Reset(WriteSession session)
    {
        catalog.Database.Store.TellReplaced(session);
        catalog.Database.Store.RestoreBase(session, NewRevision(session));
        BlockReferences.Restored(session);
        KeepServices.Synchronise(session, catalog.Config, catalog.Uuids);
        foreach (var user in _ensured)
        {
            Make(session, user);
        }
    }

    /// <summary>Higher than what counting changes leads to: rows from elsewhere never repeat an etag.</summary>
    public static long NewRevision(CatalogSession session) => session.Now.ToUnixTimeMilliseconds() * 1000;

    private void KeepIfStarting(WriteSession session)
    {
        if (_followsStart)
        {
            catalog.Database.Store.KeepBase(session);
        }
    }

    private void Make(WriteSession session, EnsuredUser user)
    {
        var system = Bootstrap.SystemCaller(catalog.Uuids);
        _tokens.Ensure(session, system, user.TokenUuid, user.TokenSecret, _users.Ensure(session, system, user.Username, user.IsAdmin));
    }
}
