using System.Security.Cryptography;
using KeepFs.Catalog.Discovery;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace KeepFs.Catalog.Endpoints;

/// <summary>The discovery document, the public configuration and the sweep (catalog-api.md 1.1, 6, 13, 14).</summary>
internal sealed class SystemEndpoints(CatalogContext catalog, Sweeper sweeper)
{
    private readonly byte[] _config = PublicConfig.Build(catalog.Config);

    public void Map(ApiPipeline api, IEndpointRouteBuilder routes)
    {
        routes.MapMethods("/discovery/v1/apis/arvados/v1/rest", ["GET", "HEAD"], DiscoverAsync);
        routes.MapMethods("/arvados/v1/config", ["GET", "HEAD"], context => WriteAsync(context, _config));
        api.Map(routes, "POST", "/sys/trash_sweep", SweepAsync);
    }

    private async Task DiscoverAsync(HttpContext context)
    {
        var document = DiscoveryDocument.Build(catalog.Config, RootUrl(context.Request));
        var etag = $"\"{Convert.ToHexStringLower(MD5.HashData(document))}\"";
        context.Response.Headers.CacheControl = "max-age=86400, public";
        context.Response.Headers.ETag = etag;
        if (context.Request.Headers.IfNoneMatch.Contains(etag))
        {
            context.Response.StatusCode = 304;
            return;
        }

        await WriteAsync(context, document);
    }

    private string RootUrl(HttpRequest request)
    {
        var root = catalog.Config.Services.Controller.ExternalURL is { Length: > 0 } configured ? configured : $"{request.Scheme}://{request.Host}/";
        return root.EndsWith('/') ? root : root + "/";
    }

    private async Task<ApiResult> SweepAsync(ApiRequest request, CancellationToken ct)
    {
        if (!request.Caller.IsAdmin)
        {
            throw ApiException.Forbidden();
        }

        await sweeper.SweepAsync(ct);
        return new ApiResult.Empty();
    }

    private static async Task WriteAsync(HttpContext context, byte[] json)
    {
        context.Response.ContentType = "application/json; charset=utf-8";
        context.Response.ContentLength = json.Length;
        await context.Response.BodyWriter.WriteAsync(json, context.RequestAborted);
    }
}
