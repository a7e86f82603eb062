using KeepFs.Catalog.Endpoints;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Logging;

namespace KeepFs.Catalog.Exchange;

/// <summary>
/// <c>/keepfs/v1/catalog/...</c>: the whole catalogue out, in and as a copy of its database, for admins; and <c>/database/reset</c> for test suites
/// (docs/decisions/0035-catalog-export.md).
/// </summary>
internal sealed partial class ExchangeEndpoints(CatalogContext catalog, BaseState baseState, ILogger logger)
{
    private const string ContentType = CatalogExchange.ContentType;
    private const string Path = "/" + CatalogExchange.Path;

    /// <summary>Each holds a reader, or a file as large as the catalogue; nobody needs more.</summary>
    private const int MaxAtOnce = 2;

    private int _underWay;

    public void Map(ApiPipeline api, IEndpointRouteBuilder routes)
    {
        api.MapUnlimited(routes, "GET", Path + "/export", ExportAsync);
        api.MapUnlimited(routes, "POST", Path + "/import", ImportAsync);
        api.MapUnlimited(routes, "GET", Path + "/backup", BackUpAsync);
        if (baseState.IsTestMode)
        {
            api.Map(routes, "POST", "/database/reset", ResetAsync);
        }
    }

    private Task<ApiResult> ExportAsync(ApiRequest request, CancellationToken ct)
    {
        request.RequireAdmin();
        LogExport(logger, request.Caller.UserUuid, request.Address);
        return Task.FromResult<ApiResult>(new ApiResult.Stream(ContentType, (response, stop) => ExclusivelyAsync(
            async () =>
            {
                await new CatalogExport(catalog).WriteAsync(response.BodyWriter, stop);
                return true;
            })));
    }

    private Task<ApiResult> ImportAsync(ApiRequest request, CancellationToken ct)
    {
        request.RequireAdmin();
        if (request.Http.Request.ContentType?.StartsWith(ContentType, StringComparison.OrdinalIgnoreCase) != true)
        {
            throw ApiException.BadRequest($"the body must be of type {ContentType}: one JSON object a line");
        }

        // A catalogue may be of any size; it is read line by line.
        request.Http.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = null;
        if (request.Http.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate)
        {
            // What converts a dump on the fly may pause.
            rate.MinDataRate = null;
        }

        return ExclusivelyAsync<ApiResult>(
            async () =>
            {
                using var stage = new ImportStage(catalog, request.Parameters.Flag("skip_unknown"));
                await ReadAsync(stage, request.Http.Request.Body, ct);
                var replaces = request.Parameters.Flag("replace");
                var summary = await catalog.Database.WriteAsync(session => new ImportMerge(catalog, baseState, stage, replaces).Run(session), ct);
                catalog.Database.TellReplaced();
                LogImport(logger, summary.Records, request.Caller.UserUuid, request.Address);
                return new ApiResult.Object(summary.Write);
            });
    }

    // Clients look for an answer when they have sent everything; closing earlier would show them a broken connection instead of what is wrong.
    private static async Task ReadAsync(ImportStage stage, Stream body, CancellationToken ct)
    {
        try
        {
            await stage.ReadAsync(body, ct);
        }
        catch (ApiException)
        {
            await body.CopyToAsync(Stream.Null, ct);
            throw;
        }
    }

    private Task<ApiResult> BackUpAsync(ApiRequest request, CancellationToken ct)
    {
        request.RequireAdmin();
        LogBackup(logger, request.Caller.UserUuid, request.Address);
        return Task.FromResult<ApiResult>(new ApiResult.Stream("application/vnd.sqlite3", (response, stop) => ExclusivelyAsync(
            async () =>
            {
                await SendCopyAsync(response, stop);
                return true;
            })));
    }

    private async Task SendCopyAsync(HttpResponse response, CancellationToken ct)
    {
        var path = catalog.Database.Store.TemporaryPath("backup");
        try
        {
            catalog.Database.Store.CopyTo(path);
            response.Headers[CatalogBackup.CountsHeader] = CatalogBackup.Counts(path);
            response.ContentLength = new FileInfo(path).Length;
            await response.SendFileAsync(path, ct);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private async Task<ApiResult> ResetAsync(ApiRequest request, CancellationToken ct)
    {
        request.RequireAdmin();
        await catalog.Database.WriteAsync(
            session =>
            {
                baseState.Reset(session);
                return true;
            },
            ct);
        catalog.Database.TellReplaced();
        return new ApiResult.Object(writer => writer.WriteBoolean("success", true));
    }

    private async Task<T> ExclusivelyAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return Interlocked.Increment(ref _underWay) <= MaxAtOnce
                ? await work()
                : throw new ApiException(503, "other exports, imports or backups are under way; try again later");
        }
        finally
        {
            Interlocked.Decrement(ref _underWay);
        }
    }

    [LoggerMessage(5201, LogLevel.Warning, "The whole catalogue, token secrets included, is exported by {User} from {Address}")]
    private static partial void LogExport(ILogger logger, string user, string? address);

    [LoggerMessage(5203, LogLevel.Warning, "A copy of the catalogue's database goes to {User} at {Address}")]
    private static partial void LogBackup(ILogger logger, string user, string? address);

    [LoggerMessage(5202, LogLevel.Warning, "{Records} records were imported by {User} from {Address}")]
    private static partial void LogImport(ILogger logger, long records, string user, string? address);
}
