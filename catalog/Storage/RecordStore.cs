using KeepFs.Catalog.Permissions;
using KeepFs.Catalog.Records;

namespace KeepFs.Catalog.Storage;

/// <summary>Reads and writes single records of any type.</summary>
internal static class RecordStore
{
    /// <summary>The record, whoever may see it; hidden columns included.</summary>
    public static Row? Find(CatalogSession session, RecordType type, string uuid)
    {
        var sql = session.Sql($"SELECT {Columns(type)}, t.revision FROM {type.Table} t WHERE t.uuid = ").Value(uuid);
        return session.Rows(sql, type).SingleOrDefault();
    }

    /// <summary>The record if the caller may read it, with what <see cref="Projection"/> needs to show it.</summary>
    public static Row? FindVisible(CatalogSession session, Projection projection, string uuid, Caller caller, bool includeTrash) =>
        session.Rows(Visible(session, projection, uuid, caller, includeTrash), projection.Type).SingleOrDefault();

    /// <inheritdoc cref="FindVisible"/>
    public static async Task<Row?> FindVisibleAsync(CatalogSession session, Projection projection, string uuid, Caller caller, bool includeTrash) =>
        (await session.RowsAsync(Visible(session, projection, uuid, caller, includeTrash), projection.Type)).SingleOrDefault();

    private static SqlText Visible(CatalogSession session, Projection projection, string uuid, Caller caller, bool includeTrash)
    {
        var sql = session.Sql("SELECT ");
        projection.AppendColumns(sql, caller);
        sql.Append($" FROM {projection.Type.Table} t WHERE t.uuid = ").Value(uuid).Append(" AND ");
        Access.AppendVisible(sql, projection.Type, caller, includeTrash, session.NowText);
        return sql;
    }

    public static bool Exists(CatalogSession session, RecordType type, string uuid) =>
        session.Scalar($"SELECT 1 FROM {type.Table} WHERE uuid = @p0", uuid) is not null;

    /// <summary>Inserts the row's values.</summary>
    public static void Insert(WriteSession session, Row row, string? extraColumn = null, object? extraValue = null) => session.Execute(Insertion(session, row, extraColumn, extraValue));

    /// <summary>As <see cref="Insert"/>, for what nobody reads in the same transaction and nothing forbids.</summary>
    public static void InsertLater(WriteSession session, Row row) => session.Later(Insertion(session, row, null, null));

    /// <summary>As <see cref="Insert"/>; returns the row's number.</summary>
    public static long InsertNumbered(WriteSession session, Row row) => session.Count(Insertion(session, row, null, null).Append(" RETURNING id"));

    private static SqlText Insertion(WriteSession session, Row row, string? extraColumn, object? extraValue)
    {
        var columns = row.Values.Where(pair => row.Type.Find(pair.Key) is { IsDerived: false }).ToList();
        if (extraColumn is not null)
        {
            columns.Add(KeyValuePair.Create(extraColumn, extraValue));
        }

        var sql = session.Sql($"INSERT INTO {row.Type.Table} ({string.Join(", ", columns.Select(pair => pair.Key))}) VALUES (");
        sql.Join(", ", columns.Select<KeyValuePair<string, object?>, Action<SqlText>>(pair => s => s.Value(pair.Value))).Append(")");
        return sql;
    }

    /// <summary>Writes the given columns and counts the revision up.</summary>
    public static void Update(WriteSession session, RecordType type, string uuid, IReadOnlyDictionary<string, object?> changes)
    {
        var sql = session.Sql($"UPDATE {type.Table} SET revision = revision + 1");
        foreach (var (name, value) in changes)
        {
            sql.Append($", {type.Find(name)!.Name} = ").Value(value);
        }

        session.Execute(sql.Append(" WHERE uuid = ").Value(uuid));
    }

    public static void Delete(WriteSession session, RecordType type, string uuid) =>
        session.Execute($"DELETE FROM {type.Table} WHERE uuid = @p0", uuid);

    private static string Columns(RecordType type) => string.Join(", ", type.StoredColumns.Select(column => "t." + column.Name));
}
