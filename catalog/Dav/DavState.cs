using System.Text.Json;
using KeepFs.Catalog.Endpoints;
using KeepFs.Catalog.Records;
using KeepFs.Catalog.Requests;
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

        record.Row[Name] = await catalog.Database.ReadAsync(
            session => (DavLocks.Any(session, uuid) ? "l" : "") + (DavProperties.Any(session, uuid) ? "p" : ""), ct);
        return new ApiResult.Record(record.Row, [.. record.Shown, Shown]);
    }

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
