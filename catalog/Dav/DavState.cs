using System.Text.Json;
using KeepFs.Catalog.Endpoints;
using KeepFs.Catalog.Records;
using KeepFs.Catalog.Requests;
using KeepFs.Catalog.Storage;
using KeepFs.Engine.Catalog;

namespace KeepFs.Catalog.Dav;

/// <summary>The parameter <c>keepfs_dav</c> of collection requests: of a GET a flag, of a write a <see cref="DavChange"/>.</summary>
internal static class DavState
{
    public const string Name = "keepfs_dav";

    private static readonly Column Shown = new(Name, ColumnKind.Text) { IsDerived = true };

    /// <summary>Tells whether the collection has locks ("l") or dead properties ("p"), so that nobody asks for what is not there.</summary>
    public static async Task<ApiResult> AddAsync(CatalogContext catalog, ApiResult shown, string uuid, CancellationToken ct)
    {
        if (shown is not ApiResult.Record record)
        {
            return shown;
        }

        var (hasLocks, hasProperties) = await catalog.Database.ReadAsync(session => Of(session, uuid), ct);
        record.Row[Name] = (hasLocks ? "l" : "") + (hasProperties ? "p" : "");
        return new ApiResult.Record(record.Row, [.. record.Shown, Shown]);
    }

    /// <summary>The collection has locks, and it has properties; one look into two indexes, because every save asks.</summary>
    public static (bool HasLocks, bool HasProperties) Of(CatalogSession session, string uuid) => session.Read(
        "SELECT CASE WHEN EXISTS (SELECT 1 FROM dav_locks WHERE uuid = @p0 AND expires_at > @p1) THEN 1 ELSE 0 END, CASE WHEN EXISTS (SELECT 1 FROM dav_properties WHERE uuid = @p0) THEN 1 ELSE 0 END",
        row => (row.GetInt64(0) != 0, row.GetInt64(1) != 0), uuid, session.NowText).Single();

    /// <summary>Null when the write has none.</summary>
    public static DavChange? Change(RequestParameters parameters)
    {
        try
        {
            return parameters.Json(Name)?.Deserialize(DavJson.Default.DavChange);
        }
        catch (JsonException e)
        {
            throw ApiException.BadRequest($"{Name}: {e.Message}");
        }
    }
}
