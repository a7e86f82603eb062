using System.Data.Common;
using KeepFs.Catalog.Links;
using KeepFs.Catalog.Quotas;
using KeepFs.Catalog.Records;
using KeepFs.Catalog.References;
using KeepFs.Catalog.Storage;

namespace KeepFs.Catalog.Exchange;

/// <summary>Puts staged rows into the catalogue, in one transaction: all of them or none. Runs inside the one writer.</summary>
internal sealed class ImportMerge(CatalogContext catalog, BaseState baseState, ImportStage stage, bool replaces)
{
    // Each statement is a message to the server and back.
    private const int RowsAtOnce = 64;
    private const long BytesAtOnce = 1 << 20;

    private readonly ImportSummary _summary = new(stage.Skipped);

    /// <exception cref="ApiException">A line cannot be taken in (its number and why).</exception>
    public ImportSummary Run(WriteSession session)
    {
        var formerUsers = new Dictionary<string, string>();
        var isFresh = baseState.IsFresh(session);
        if (isFresh)
        {
            formerUsers = baseState.Clear(session);
        }

        session.Execute("DELETE FROM keep_services WHERE from_config = 1");
        foreach (var kind in ExchangeKinds.All)
        {
            Merge(session, kind, isFresh);
        }

        session.Dialect.GivenIds(session, RecordTypes.Logs.Table);
        PermissionGraph.Rebuild(session);
        OwnerUsage.Rebuild(session);
        BlockReferences.Rebuild(session);

        baseState.EnsureAgain(session, formerUsers);
        WarnOfOwners(session);
        session.Dialect.LookAtData(session);
        baseState.Imported(session);
        return _summary;
    }

    /// <summary>The answer to a row that another one excludes.</summary>
    public static ApiException Clash(ExchangeKind kind, ConstraintViolation violation) => violation.IsDuplicate
        ? ApiException.Invalid($"another {kind.Type.Singular} has the same {violation.Columns}")
        : ApiException.Invalid($"{kind.Kind}: {violation.Columns} must be given");

    private void Merge(WriteSession session, ExchangeKind kind, bool isFresh)
    {
        var isLog = kind.Type == RecordTypes.Logs;
        var columns = session.Dialect.Columns(session, kind.Table).Where(column => isLog || column != "id").ToList();
        var uuid = columns.IndexOf("uuid");
        var (revision, keys) = (columns.IndexOf(TableCopy.Revision), kind.Keys.Select(key => columns.IndexOf(key)).ToArray());
        var (rows, bytes) = (new List<object[]>(RowsAtOnce), 0L);
        stage.Rows.Each($"SELECT {string.Join(", ", columns)}, {ImportStage.Line} FROM {kind.Table} ORDER BY {kind.Order}", row =>
        {
            // The last is the line, which is not copied.
            var values = new object[columns.Count + 1];
            row.GetValues(values);
            if (revision >= 0)
            {
                values[revision] = BaseState.NewRevision(session);
            }

            if (isLog && !isFresh && session.Scalar("SELECT 1 FROM logs WHERE id = @p0 AND uuid <> @p1", values[0], values[uuid]) is not null)
            {
                values[0] = DBNull.Value;
            }

            rows.Add(values);
            bytes += values.Sum(value => value is byte[] manifest ? manifest.Length : 0);
            if (!isFresh || rows.Count == RowsAtOnce || bytes > BytesAtOnce)
            {
                Take();
            }
        });
        Take();

        void Take()
        {
            // Nothing is there that a row could meet, but others that come with it.
            if (rows.Count < RowsAtOnce || !TryInsert(session, kind, columns, rows))
            {
                foreach (var values in rows)
                {
                    MergeLine(session, kind, isFresh, columns, values, keys);
                }
            }

            rows.Clear();
            bytes = 0;
        }
    }

    private bool TryInsert(WriteSession session, ExchangeKind kind, List<string> columns, List<object[]> rows)
    {
        session.Execute("SAVEPOINT lines");
        try
        {
            TableCopy.Insert(session, kind.Table, columns, rows);
        }
        catch (DbException e) when (session.Dialect.Violation(e, kind.Table) is not null)
        {
            // One by one, they tell which line it is.
            session.Execute("ROLLBACK TO lines");
            return false;
        }

        session.Execute("RELEASE lines");
        _summary.Imported(kind.Table, rows.Count);
        return true;
    }

    private void MergeLine(WriteSession session, ExchangeKind kind, bool isFresh, List<string> columns, object[] values, int[] keys)
    {
        try
        {
            Merge(session, kind, isFresh, columns, values, keys);
        }
        catch (ApiException e)
        {
            throw ApiException.Invalid($"line {values[^1]}: {e.Message}");
        }
    }

    private void Merge(WriteSession session, ExchangeKind kind, bool isFresh, List<string> columns, object[] values, int[] keys)
    {
        if (!isFresh && (IsLinkedAlready(session, kind, columns, values) || (!replaces && catalog.Uuids.IsWellKnown(Text("uuid")))))
        {
            _summary.Kept(kind.Table);
            return;
        }

        var isThere = !isFresh && Delete(session, kind, [.. keys.Select(key => values[key])]);
        if (isThere && !replaces)
        {
            throw ApiException.Invalid($"{string.Join(' ', kind.Keys.Select(Text))} is in the catalogue already; --replace (replace=true) overwrites what is there");
        }

        try
        {
            // A record whose number another one has gets a new one: not every database takes null for that.
            var first = values[0] is DBNull && columns[0] == "id" ? 1 : 0;
            TableCopy.Insert(session, kind.Table, columns[first..], values.AsSpan(first));
        }
        catch (DbException e) when (session.Dialect.Violation(e, kind.Table) is { } violation)
        {
            throw ApiException.Invalid($"{string.Join(' ', kind.Keys.Select(Text))}: {Clash(kind, violation).Message}");
        }

        if (isThere)
        {
            _summary.Replaced(kind.Table);
        }
        else
        {
            _summary.Imported(kind.Table);
        }

        string Text(string column) => values[columns.IndexOf(column)] switch
        {
            byte[] path => Dav.DavPath.Text(path),
            var value => value.ToString()!,
        };
    }

    private static bool Delete(WriteSession session, ExchangeKind kind, IReadOnlyList<object> key)
    {
        var sql = session.Sql($"DELETE FROM {kind.Table} WHERE true");
        for (var i = 0; i < key.Count; i++)
        {
            sql.Append($" AND {kind.Keys[i]} = ").Value(key[i]);
        }

        return session.Execute(sql) > 0;
    }

    // Of the same pair one link is enough (catalog-api.md 11); every catalogue has some under UUIDs of its own.
    private static bool IsLinkedAlready(WriteSession session, ExchangeKind kind, List<string> columns, object[] values)
    {
        if (kind.Type != RecordTypes.Links || Of("link_class") is not "permission" || !PermissionLinks.IsLevel(Of("name")))
        {
            return false;
        }

        return session.Strings(
            "SELECT name FROM links WHERE link_class = 'permission' AND tail_uuid = @p0 AND head_uuid = @p1 AND uuid <> @p2",
            Of("tail_uuid"), Of("head_uuid"), Of("uuid")).Any(name => PermissionLinks.IsLevel(name) && PermissionLinks.Rank(name) >= PermissionLinks.Rank(Of("name")));

        string? Of(string column) => values[columns.IndexOf(column)] as string;
    }

    // Old databases hold such; it is no reason to lose the rest.
    private void WarnOfOwners(WriteSession session)
    {
        foreach (var table in (string[])["groups", "collections", "api_client_authorizations"])
        {
            var orphans = session.Read(
                $"""
                SELECT count(*), min(uuid) FROM {table} t
                WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.uuid = t.owner_uuid) AND NOT EXISTS (SELECT 1 FROM groups g WHERE g.uuid = t.owner_uuid)
                """,
                row => (Count: row.GetInt64(0), First: row.IsDBNull(1) ? "" : row.GetString(1))).Single();
            if (orphans.Count > 0)
            {
                _summary.Warn($"{table}: {orphans.Count} have an owner that does not exist, such as {orphans.First}; only admins can reach them");
            }
        }
    }
}
