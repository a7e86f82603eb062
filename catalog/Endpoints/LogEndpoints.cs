using KeepFs.Catalog.Logs;
using KeepFs.Catalog.Records;
using KeepFs.Engine.Catalog;
using Microsoft.AspNetCore.Routing;

namespace KeepFs.Catalog.Endpoints;

/// <summary><c>/arvados/v1/logs</c> (catalog-api.md 15), and <c>POST /keepfs/v1/logs</c>: many records of a server in one transaction.</summary>
internal sealed class LogEndpoints(CatalogContext catalog, RecordEndpoints records)
{
    private const string Path = "/arvados/v1/logs";
    private const string Several = "/keepfs/v1/logs";

    private readonly LogWriter _writer = new(catalog);

    public void Map(ApiPipeline api, IEndpointRouteBuilder routes)
    {
        api.Map(routes, "GET", Path, (request, ct) => records.ListAsync(request, RecordTypes.Logs, ct));
        api.Map(routes, "POST", Path, CreateAsync);
        api.Map(routes, "POST", Several, CreateSeveralAsync);
        api.Map(routes, "GET", Path + "/{uuid}", (request, ct) => records.GetAsync(request, RecordTypes.Logs, ct));
    }

    private async Task<ApiResult> CreateAsync(ApiRequest request, CancellationToken ct)
    {
        var uuids = await _writer.CreateAsync(request.Caller, [request.Parameters.Attributes("log")], ct);
        return await records.ShowAsync(request, RecordTypes.Logs, uuids[0], includeTrash: false, ct);
    }

    private async Task<ApiResult> CreateSeveralAsync(ApiRequest request, CancellationToken ct)
    {
        request.RequireAdmin("only servers write several log records at once");

        var uuids = await _writer.CreateAsync(request.Caller, request.Parameters.AttributesOfEach("logs", CatalogClient.MaxLogRecords), ct);
        return new ApiResult.Object(writer => writer.WriteNumber("created", uuids.Length));
    }
}
