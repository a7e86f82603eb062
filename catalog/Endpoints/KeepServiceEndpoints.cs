using KeepFs.Catalog.Records;
using KeepFs.Catalog.Services;
using KeepFs.Catalog.Storage;
using Microsoft.AspNetCore.Routing;

namespace KeepFs.Catalog.Endpoints;

/// <summary><c>/arvados/v1/keep_services</c> (catalog-api.md 7).</summary>
internal sealed class KeepServiceEndpoints(CatalogContext catalog, RecordEndpoints records)
{
    private const string Path = "/arvados/v1/keep_services";

    private readonly KeepServiceWriter _writer = new(catalog);

    public void Map(ApiPipeline api, IEndpointRouteBuilder routes)
    {
        api.Map(routes, "GET", Path, (request, ct) => records.ListAsync(request, RecordTypes.KeepServices, ct));
        api.Map(routes, "POST", Path, CreateAsync);
        api.Map(routes, "GET", Path + "/accessible", AccessibleAsync, TokenNeed.None);
        api.Map(routes, "GET", Path + "/{uuid}", (request, ct) => records.GetAsync(request, RecordTypes.KeepServices, ct));
        api.Map(routes, "PUT", Path + "/{uuid}", UpdateAsync);
        api.Map(routes, "PATCH", Path + "/{uuid}", UpdateAsync);
        api.Map(routes, "DELETE", Path + "/{uuid}", DeleteAsync);
    }

    private async Task<ApiResult> AccessibleAsync(ApiRequest request, CancellationToken ct)
    {
        var isExternal = request.Http.Request.Headers["X-External-Client"].ToString() == "1";
        var projection = Projection.Default(RecordTypes.KeepServices);
        var rows = await catalog.Database.ReadAsync(
            session => session.Rows(
                session.Sql($"SELECT t.* FROM keep_services t WHERE t.service_type {(isExternal ? "=" : "<>")} 'proxy' ORDER BY t.uuid"), RecordTypes.KeepServices),
            ct);
        return new ApiResult.Page(RecordTypes.KeepServices, new ListPage(rows, rows.Count, rows.Count), projection, 0);
    }

    private async Task<ApiResult> CreateAsync(ApiRequest request, CancellationToken ct)
    {
        var uuid = await _writer.CreateAsync(request.Caller, request.Parameters.Attributes("keep_service"), ct);
        return await records.ShowAsync(request, RecordTypes.KeepServices, uuid, includeTrash: false, ct);
    }

    private async Task<ApiResult> UpdateAsync(ApiRequest request, CancellationToken ct)
    {
        var attributes = request.Parameters.Attributes("keep_service");
        attributes.RemoveSame("uuid", request.Uuid);
        await _writer.UpdateAsync(request.Caller, request.Uuid, attributes, ct);
        return await records.ShowAsync(request, RecordTypes.KeepServices, request.Uuid, includeTrash: false, ct);
    }

    private async Task<ApiResult> DeleteAsync(ApiRequest request, CancellationToken ct)
    {
        var shown = await records.ShowAsync(request, RecordTypes.KeepServices, request.Uuid, includeTrash: false, ct);
        await _writer.DeleteAsync(request.Caller, request.Uuid, ct);
        return shown;
    }
}
