using KeepFs.Catalog.Logs;
using KeepFs.Catalog.Records;
using Microsoft.AspNetCore.Routing;

namespace KeepFs.Catalog.Endpoints;

/// <summary><c>/arvados/v1/logs</c> (catalog-api.md 15).</summary>
internal sealed class LogEndpoints(CatalogContext catalog, RecordEndpoints records)
{
    private const string Path = "/arvados/v1/logs";

    private readonly LogWriter _writer = new(catalog);

    public void Map(ApiPipeline api, IEndpointRouteBuilder routes)
    {
        api.Map(routes, "GET", Path, (request, ct) => records.ListAsync(request, RecordTypes.Logs, ct));
        api.Map(routes, "POST", Path, CreateAsync);
        api.Map(routes, "GET", Path + "/{uuid}", (request, ct) => records.GetAsync(request, RecordTypes.Logs, ct));
    }

    private async Task<ApiResult> CreateAsync(ApiRequest request, CancellationToken ct)
    {
        var uuid = await _writer.CreateAsync(request.Caller, request.Parameters.Attributes("log"), ct);
        return await records.ShowAsync(request, RecordTypes.Logs, uuid, includeTrash: false, ct);
    }
}
