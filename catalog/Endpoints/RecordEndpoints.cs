using KeepFs.Catalog.Permissions;
using KeepFs.Catalog.Records;
using KeepFs.Catalog.Storage;

namespace KeepFs.Catalog.Endpoints;

/// <summary>What list, get and the answers to writes have in common for all types.</summary>
internal sealed class RecordEndpoints(CatalogContext catalog)
{
    public RecordPresenter Presenter { get; } = new(catalog);

    /// <summary>A list.</summary>
    public async Task<ApiResult> ListAsync(ApiRequest request, RecordType type, CancellationToken ct, Action<SqlText>? restrict = null, bool withoutFilters = false)
    {
        var list = ListRequest.From(request.Parameters, type, catalog.Config.API.MaxItemsPerResponse);
        if (withoutFilters)
        {
            list = list with { Filters = null };
        }

        var page = await catalog.Database.ReadAsync(
            session => ListQuery.Run(session, list, request.Caller, catalog.Config.API.MaxIndexDatabaseRead, restrict), ct);
        foreach (var row in page.Rows)
        {
            Presenter.Present(row, list.Projection, request.Caller);
        }

        return new ApiResult.Page(type, page, list.Projection, list.Offset);
    }

    /// <summary>The record in the path.</summary>
    public Task<ApiResult> GetAsync(ApiRequest request, RecordType type, CancellationToken ct) =>
        ShowAsync(request, type, request.Uuid, request.Parameters.Flag("include_trash"), ct);

    /// <summary>A record as the caller sees it, with the request's <c>select</c>; 404 when there is none.</summary>
    public async Task<ApiResult> ShowAsync(ApiRequest request, RecordType type, string uuid, bool includeTrash, CancellationToken ct)
    {
        var projection = Projection.Of(type, request.Parameters.Names("select"), inList: false);
        var row = await catalog.Database.ReadOneAsync(session => RecordStore.FindVisibleAsync(session, projection, uuid, request.Caller, includeTrash), ct);
        return Show(row ?? throw ApiException.NotFound(), projection, request.Caller);
    }

    public ApiResult Show(Row row, Projection projection, Caller? caller) =>
        new ApiResult.Record(Presenter.Present(row, projection, caller), projection.Shown);
}
