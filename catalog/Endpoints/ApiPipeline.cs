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
internal sealed class ApiPipeline(CatalogContext catalog)
{
    private readonly Authenticator _authenticator = new(catalog);

    public void Map(IEndpointRouteBuilder routes, string method, string path, ApiHandler handler, TokenNeed need = TokenNeed.InScope) =>
        routes.MapMethods(path, method == "GET" ? ["GET", "HEAD"] : [method], context => HandleAsync(context, handler, need));

    private async Task HandleAsync(HttpContext context, ApiHandler handler, TokenNeed need)
    {
        var ct = context.RequestAborted;
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
        var caller = await _authenticator.AuthenticateAsync(tokens, readers, ct) ?? throw ApiException.NotLoggedIn();
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
