using KeepFs.Catalog.Links;
using KeepFs.Catalog.Records;
using Microsoft.AspNetCore.Routing;

namespace KeepFs.Catalog.Endpoints;

/// <summary><c>/arvados/v1/links</c> and <c>/arvados/v1/permissions</c> (catalog-api.md 11).</summary>
internal sealed class LinkEndpoints(CatalogContext catalog, RecordEndpoints records)
{
    private const string Path = "/arvados/v1/links";

    private readonly LinkWriter _writer = new(catalog);

    public void Map(ApiPipeline api, IEndpointRouteBuilder routes)
    {
        api.Map(routes, "GET", Path, (request, ct) => records.ListAsync(request, RecordTypes.Links, ct));
        api.Map(routes, "POST", Path, CreateAsync);
        api.Map(routes, "GET", Path + "/{uuid}", (request, ct) => records.GetAsync(request, RecordTypes.Links, ct));
        api.Map(routes, "PUT", Path + "/{uuid}", UpdateAsync);
        api.Map(routes, "PATCH", Path + "/{uuid}", UpdateAsync);
        api.Map(routes, "DELETE", Path + "/{uuid}", DeleteAsync);
        api.Map(routes, "GET", "/arvados/v1/permissions/{uuid}", PermissionsAsync);
    }

    private async Task<ApiResult> CreateAsync(ApiRequest request, CancellationToken ct)
    {
        var uuid = await _writer.CreateAsync(request.Caller, request.Parameters.Attributes("link"), ct);
        return await records.ShowAsync(request, RecordTypes.Links, uuid, includeTrash: false, ct);
    }

    private async Task<ApiResult> UpdateAsync(ApiRequest request, CancellationToken ct)
    {
        var attributes = request.Parameters.Attributes("link");
        attributes.RemoveSame("uuid", request.Uuid);
        await _writer.UpdateAsync(request.Caller, request.Uuid, attributes, ct);
        return await records.ShowAsync(request, RecordTypes.Links, request.Uuid, includeTrash: false, ct);
    }

    private async Task<ApiResult> DeleteAsync(ApiRequest request, CancellationToken ct)
    {
        var shown = await records.ShowAsync(request, RecordTypes.Links, request.Uuid, includeTrash: false, ct);
        await _writer.DeleteAsync(request.Caller, request.Uuid, ct);
        return shown;
    }

    private async Task<ApiResult> PermissionsAsync(ApiRequest request, CancellationToken ct)
    {
        await catalog.Database.ReadAsync(session => LinkWriter.RequireManagedHead(session, request.Caller, request.Uuid), ct);
        return await records.ListAsync(
            request, RecordTypes.Links, ct, sql => sql.Append(" AND t.link_class = 'permission' AND t.head_uuid = ").Value(request.Uuid));
    }
}
