using KeepFs.Catalog.Collections;
using KeepFs.Catalog.Groups;
using KeepFs.Catalog.Records;
using KeepFs.Catalog.Storage;
using Microsoft.AspNetCore.Routing;

namespace KeepFs.Catalog.Endpoints;

/// <summary><c>/arvados/v1/groups</c> (catalog-api.md 10).</summary>
internal sealed class GroupEndpoints(CatalogContext catalog, RecordEndpoints records)
{
    private const string Path = "/arvados/v1/groups";

    private readonly GroupWriter _writer = new(catalog);
    private readonly GroupContents _contents = new(catalog);

    public void Map(ApiPipeline api, IEndpointRouteBuilder routes)
    {
        var config = catalog.Config.Collections;
        api.Map(routes, "GET", Path, (request, ct) => records.ListAsync(request, RecordTypes.Groups, ct));
        api.Map(routes, "POST", Path, CreateAsync);
        api.Map(routes, "GET", Path + "/contents", (request, ct) => ContentsAsync(request, request.Parameters.Text("uuid"), ct));
        api.Map(routes, "GET", Path + "/shared", SharedAsync);
        api.Map(routes, "GET", Path + "/{uuid}", (request, ct) => records.GetAsync(request, RecordTypes.Groups, ct));
        api.Map(routes, "GET", Path + "/{uuid}/contents", (request, ct) => ContentsAsync(request, request.Uuid, ct));
        api.Map(routes, "PUT", Path + "/{uuid}", UpdateAsync);
        api.Map(routes, "PATCH", Path + "/{uuid}", UpdateAsync);
        api.Map(routes, "DELETE", Path + "/{uuid}", (request, ct) => ChangeTrashAsync(request, (state, now) => state.Delete(now, config), ct));
        api.Map(routes, "POST", Path + "/{uuid}/trash", (request, ct) => ChangeTrashAsync(request, (state, now) => state.Trash(now, config), ct));
        api.Map(routes, "POST", Path + "/{uuid}/untrash", (request, ct) => ChangeTrashAsync(request, (state, now) => state.Untrash(now), ct));
    }

    private async Task<ApiResult> CreateAsync(ApiRequest request, CancellationToken ct)
    {
        var uuid = await _writer.CreateAsync(request.Caller, request.Parameters.Attributes("group"), request.Parameters.Flag("ensure_unique_name"), ct);
        return await records.ShowAsync(request, RecordTypes.Groups, uuid, includeTrash: true, ct);
    }

    private async Task<ApiResult> UpdateAsync(ApiRequest request, CancellationToken ct)
    {
        var attributes = request.Parameters.Attributes("group");
        attributes.RemoveSame("uuid", request.Uuid);
        await _writer.UpdateAsync(request.Caller, request.Uuid, attributes, request.Parameters.Flag("include_trash"), ct);
        return await records.ShowAsync(request, RecordTypes.Groups, request.Uuid, includeTrash: true, ct);
    }

    private async Task<ApiResult> ChangeTrashAsync(ApiRequest request, Func<TrashState, DateTimeOffset, TrashState> change, CancellationToken ct)
    {
        await _writer.ChangeTrashAsync(request.Caller, request.Uuid, change, request.Parameters.Flag("ensure_unique_name"), ct);
        // A trashed role is due for deletion at once, and then not shown any more: its caller manages it and gets it from the table.
        var projection = Projection.Of(RecordTypes.Groups, request.Parameters.Names("select"), inList: false);
        var row = await catalog.Database.ReadAsync(
            session => RecordStore.FindVisible(session, projection, request.Uuid, request.Caller, includeTrash: true) ?? RecordStore.Find(session, RecordTypes.Groups, request.Uuid), ct);
        return records.Show(WithLevel(row ?? throw ApiException.NotFound()), projection, request.Caller);
    }

    private static Row WithLevel(Row row)
    {
        if (!row.Has(Projection.Level))
        {
            row[Projection.Level] = 3L;
        }

        return row;
    }

    private async Task<ApiResult> ContentsAsync(ApiRequest request, string? place, CancellationToken ct)
    {
        var page = await catalog.Database.ReadAsync(session => _contents.Contents(session, request.Parameters, request.Caller, place), ct);
        return Present(page, request);
    }

    private async Task<ApiResult> SharedAsync(ApiRequest request, CancellationToken ct)
    {
        var page = await catalog.Database.ReadAsync(session => _contents.Shared(session, request.Parameters, request.Caller), ct);
        return Present(page, request);
    }

    private ApiResult.Mixed Present(MixedPage page, ApiRequest request)
    {
        foreach (var row in page.Items)
        {
            records.Presenter.Present(row, page.ProjectionOf(row.Type), request.Caller);
        }

        foreach (var row in page.Included ?? [])
        {
            records.Presenter.Present(row, Projection.Default(row.Type), request.Caller);
        }

        return new ApiResult.Mixed(page);
    }
}
