using System.Text;
using KeepFs.Engine.Catalog;
using KeepFs.Engine.Manifests;
using KeepFs.WebDav.Dav;
using KeepFs.WebDav.Downloads;
using KeepFs.WebDav.Downloads.Zip;
using KeepFs.WebDav.Locks;
using KeepFs.WebDav.Page;
using KeepFs.WebDav.Requests;
using KeepFs.WebDav.S3;
using KeepFs.WebDav.Tree;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace KeepFs.WebDav;

/// <summary>Finds token, target and handler of a request (keep-web.md 2.1, 2.2), and turns failures into answers.</summary>
internal sealed partial class KeepWebRouter(
    RequestOpener opener, PageEndpoints page, GetHandler get, ZipHandler zip, PutHandler put, DeleteHandler delete, MkcolHandler mkcol, CopyMoveHandler copyMove, PropfindHandler propfind,
    LockHandler locks, LockGuard guard, LockStore lockStore, S3Endpoint s3, ILogger logger)
{
    private const string Methods = "OPTIONS, GET, HEAD, POST, PUT, DELETE, MKCOL, COPY, MOVE, PROPFIND, PROPPATCH, LOCK, UNLOCK";
    private readonly ILogger _logger = logger;

    public async Task HandleAsync(HttpContext context)
    {
        if (S3Endpoint.IsS3(context.Request))
        {
            await s3.HandleAsync(context);
            return;
        }

        // The request log shows this path, and a sharing link's token is part of it; everything here reads the raw target.
        if (context.Request.Path.StartsWithSegments("/collections/download"))
        {
            context.Request.Path = "/collections/download/...";
        }

        try
        {
            if (HttpMethods.IsOptions(context.Request.Method))
            {
                OptionsHandler.Handle(context, Methods);
                return;
            }

            OptionsHandler.AddCors(context);
            if (!Methods.Split(", ").Contains(context.Request.Method))
            {
                context.Response.Headers.Allow = Methods;
                throw new WebException(StatusCodes.Status405MethodNotAllowed, "Method not allowed.");
            }

            // A POST of a collection only reads; Workbench sends its forms from another origin.
            var path = RequestPath.Parse(RequestOpener.RawTarget(context));
            if (context.Request.Method is not ("GET" or "HEAD" or "PROPFIND") && (!HttpMethods.IsPost(context.Request.Method) || PageEndpoints.IsPage(path)))
            {
                PageSafety.RequireOwnOrigin(context.Request, opener.OwnHosts);
            }

            if (PageEndpoints.IsPage(path))
            {
                await page.HandleAsync(context, path);
                return;
            }

            if (await opener.TryRedirectAsync(context))
            {
                return;
            }

            var (request, lease) = await opener.OpenAsync(context);
            using (lease)
            {
                try
                {
                    await DispatchAsync(request);
                }
                catch (CatalogException e) when (e.Kind == CatalogErrorKind.Locked && request.Place is CollectionPlace place)
                {
                    // Locked by somebody else between our look and the save.
                    throw LockGuard.Locked(request, place.Collection.Record.Uuid, e.LockedPath ?? "");
                }
            }
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            context.Abort();
        }
        catch (Exception e)
        {
            await FailAsync(context, e);
        }
    }

    private async Task DispatchAsync(WebRequest request)
    {
        switch (request.Http.Request.Method)
        {
            case "GET" or "HEAD" or "POST" when ZipWish.IsAsked(request.Http.Request, request.IsAttachment):
                await zip.HandleAsync(request);
                break;
            case "GET" or "HEAD" or "POST":
                await get.HandleAsync(request);
                break;
            case "PROPFIND":
                await propfind.HandleAsync(request);
                break;
            case "PUT":
                await PutAsync(request);
                break;
            case "MKCOL":
                await mkcol.HandleAsync(request, await guard.RequireAsync(request, isRecursive: false, changesParent: true));
                break;
            case "DELETE":
                await delete.HandleAsync(request, await guard.RequireAsync(request, isRecursive: true, changesParent: true));
                lockStore.Forget(request.Place);
                break;
            case "COPY":
                await copyMove.HandleAsync(request, await guard.RequireIfAsync(request), null);
                break;
            case "MOVE":
                var header = await guard.RequireIfAsync(request);
                await copyMove.HandleAsync(request, header, await guard.RequireAsync(request, request.Place, header, isRecursive: true, changesParent: true));
                lockStore.Forget(request.Place);
                break;
            case "PROPPATCH":
                await ProppatchHandler.HandleAsync(request, await guard.RequireAsync(request, isRecursive: false, changesParent: false));
                break;
            case "LOCK":
                await locks.LockAsync(request);
                break;
            case "UNLOCK":
                await locks.UnlockAsync(request);
                break;
        }
    }

    private async Task PutAsync(WebRequest request)
    {
        ManifestFile? stored = null;
        if (request.Place is PresumedPlace presumed)
        {
            stored = await put.TryPresumedAsync(request, presumed);
            if (stored is null)
            {
                return;
            }

            request = await opener.LookAsync(request);
        }

        await put.HandleAsync(request, await guard.RequireAsync(request, isRecursive: false, changesParent: !request.Place.Exists), stored);
    }

    /// <summary>A short error, or a broken connection when part of a good answer is already under way.</summary>
    private async Task FailAsync(HttpContext context, Exception failure)
    {
        var known = StatusMap.Of(failure);
        var (status, text) = known ?? (StatusCodes.Status500InternalServerError, "Something went wrong; the server's log says what.");
        if (known is null)
        {
            LogUnexpected(context.TraceIdentifier, failure);
        }
        else if (status >= StatusCodes.Status500InternalServerError)
        {
            LogFailure(context.TraceIdentifier, status, failure.Message);
        }

        if (context.Response.HasStarted)
        {
            context.Abort();
            return;
        }

        var response = context.Response;
        if (status == StatusCodes.Status401Unauthorized && PageSafety.IsNavigation(context.Request) && opener.AcceptsCredentials(context.Request))
        {
            opener.RedirectToLogin(context);
            return;
        }

        var contentRange = status == StatusCodes.Status416RangeNotSatisfiable ? response.Headers.ContentRange : default;
        var allow = response.Headers.Allow;
        foreach (var name in (string[])["Content-Length", "Content-Range", "Content-Disposition", "Content-Encoding", "ETag", "Last-Modified"])
        {
            response.Headers.Remove(name);
        }

        response.Headers.ContentRange = contentRange;
        response.StatusCode = status;
        if (status == StatusCodes.Status401Unauthorized)
        {
            response.Headers.WWWAuthenticate = "Basic realm=\"collections\"";
            text = "401 Unauthorized\n" + text;
        }
        else if (status == StatusCodes.Status503ServiceUnavailable)
        {
            response.Headers.RetryAfter = "1";
        }
        else if (status == StatusCodes.Status405MethodNotAllowed && allow.Count == 0)
        {
            response.Headers.Allow = Methods;
        }

        var isXml = failure is WebException { Precondition: not null };
        response.Headers.XContentTypeOptions = "nosniff";
        response.ContentType = isXml ? "application/xml; charset=utf-8" : "text/plain; charset=utf-8";
        var body = Encoding.UTF8.GetBytes(failure is WebException { Precondition: { } condition, PreconditionHref: var href }
            ? $"<?xml version=\"1.0\" encoding=\"UTF-8\"?><D:error xmlns:D=\"DAV:\"><D:{condition}{(href is null ? "/>" : $"><D:href>{href}</D:href></D:{condition}>")}</D:error>"
            : text + "\n");
        response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await response.Body.WriteAsync(body);
        }
    }

    [LoggerMessage(300, LogLevel.Error, "{RequestId} failed in an unexpected way")]
    private partial void LogUnexpected(string requestId, Exception failure);

    [LoggerMessage(301, LogLevel.Warning, "{RequestId} answered with {Status}: {Reason}")]
    private partial void LogFailure(string requestId, int status, string reason);
}
