using KeepFs.Catalog.Permissions;
using KeepFs.Catalog.Records;
using KeepFs.Catalog.Storage;

namespace KeepFs.Catalog.Collections;

/// <summary>Finds a collection by its portable data hash (catalog-api.md 4.2).</summary>
internal static class CollectionLookup
{
    /// <summary>
    /// A readable collection with that content, past versions included: one without a trash time first, then the one that lasts longest.
    /// The sizes must agree; further hints are ignored.
    /// </summary>
    public static Row? FindByHash(CatalogSession session, string hash, Caller caller, bool includeTrash)
    {
        var type = RecordTypes.Collections;
        var sql = session.Sql("SELECT ");
        Projection.Default(type).AppendColumns(sql, caller);
        sql.Append(" FROM collections t WHERE t.portable_data_hash = ").Value(string.Join('+', hash.Split('+').Take(2))).Append(" AND ");
        Access.AppendVisible(sql, type, caller, includeTrash, session.NowText);
        sql.Append(" ORDER BY t.trash_at IS NOT NULL, t.trash_at DESC, t.id LIMIT 1");
        return session.Rows(sql, type).SingleOrDefault();
    }
}
