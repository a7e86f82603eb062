using System.Text.Json;
using KeepFs.Catalog.Permissions;
using KeepFs.Catalog.Records;
using KeepFs.Catalog.Requests;
using KeepFs.Hosting.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace KeepFs.Catalog.Endpoints;

/// <summary>What every endpoint has in common: the token, the parameters, the scope, the answer.</summary>
/// <param name="authenticator">Knows tokens.</param>
/// <param name="requestTimeout">The longest that a request may take, its body included.</param>
/// <param name="time">The clock.</param>
internal sealed class ApiPipeline(Authenticator authenticator, TimeSpan requestTimeout, TimeProvider time)
{
    public void Map(IEndpointRouteBuilder routes, string method, string path, ApiHandler handler, TokenNeed need = TokenNeed.InScope) =>
        routes.MapMethods(path, Methods(method), context => HandleInTimeAsync(context, handler, need));

    /// <summary>Maps what may take as long as it takes: the whole catalogue, out or in.</summary>
    public void MapUnlimited(IEndpointRouteBuilder routes, string method, string path, ApiHandler handler) =>
        routes.MapMethods(path, Methods(method), context => HandleAsync(context, handler, TokenNeed.InScope, context.RequestAborted));

    private static string[] Methods(string method) => method == "GET" ? ["GET", "HEAD"] : [method];

    private async Task HandleInTimeAsync(HttpContext context, ApiHandler handler, TokenNeed need)
    {
        using var limit = new CancellationTokenSource(requestTimeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, context.RequestAborted);
        try
        {
            await HandleAsync(context, handler, need, both.Token);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !context.RequestAborted.IsCancellationRequested)
        {
            if (context.Response.HasStarted)
            {
                context.Abort();
                return;
            }

            throw ApiException.TooSlow(requestTimeout);
        }
    }

    private async Task HandleAsync(HttpContext context, ApiHandler handler, TokenNeed need, CancellationToken ct)
    {
        // Without a token nobody makes us read a large body; only forms may carry one inside.
        var caller = context.Request.HasFormContentType ? null : await AuthenticateAsync(context.Request, form: null, need, ct);
        if (context.Request.HasFormContentType)
        {
            caller = await AuthenticateAsync(context.Request, await ParameterReader.ReadFormAsync(context.Request, ct), need, ct);
        }

        var parameters = await ParameterReader.ReadAsync(context.Request, ct);
        var result = await handler(new ApiRequest(context, parameters, caller), ct);
        context.Response.StatusCode = result.Status;
        if (result is ApiResult.Empty)
        {
            return;
        }

        if (result is ApiResult.Stream stream)
        {
            context.Response.ContentType = stream.ContentType;
            await stream.CopyAsync(context.Response, ct);
            return;
        }

        context.Response.ContentType = "application/json; charset=utf-8";
        await using var writer = new Utf8JsonWriter(context.Response.BodyWriter, RecordJson.WriterOptions);
        await result.WriteAsync(writer, ct);
        await writer.FlushAsync(ct);
    }

    private async Task<Caller?> AuthenticateAsync(HttpRequest request, IFormCollection? form, TokenNeed need, CancellationToken ct)
    {
        if (need == TokenNeed.None)
        {
            return null;
        }

        IReadOnlyList<string> tokens = [.. RequestTokens.Collect(request), .. form?["api_token"].OfType<string>().Where(token => token.Length > 0) ?? []];
        var readers = HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method)
            ? ReaderTokens(form?["reader_tokens"].ToString() is { Length: > 0 } given ? given : request.Query["reader_tokens"].ToString())
            : [];
        var caller = await authenticator.AuthenticateAsync(request.HttpContext, tokens, readers, ct) ?? throw ApiException.NotLoggedIn();
        return need == TokenNeed.AnyScope || TokenScopes.Allow(caller.Scopes, request.Method, request.Path.Value ?? "")
            ? caller
            : throw ApiException.Forbidden("Forbidden: the token's scopes do not cover this request");
    }

    private static string[] ReaderTokens(string text)
    {
        if (text.Length == 0)
        {
            return [];
        }

        try
        {
            return JsonSerializer.Deserialize(text, WireJson.Default.StringArray) ?? [];
        }
        catch (JsonException)
        {
            throw ApiException.BadRequest("reader_tokens: must be a JSON array of strings");
        }
    }
}
