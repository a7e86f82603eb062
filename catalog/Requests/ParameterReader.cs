using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace KeepFs.Catalog.Requests;

/// <summary>Collects the parameters of a request from query, form, JSON body and path, the later winning (catalog-api.md 1.3).</summary>
internal static class ParameterReader
{
    public static async Task<RequestParameters> ReadAsync(HttpRequest request, CancellationToken ct)
    {
        var values = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var (name, value) in request.Query)
        {
            values[name] = Element(value.ToString());
        }

        var hasJsonBody = false;
        if (request.HasFormContentType)
        {
            foreach (var (name, value) in await ReadFormAsync(request, ct))
            {
                values[name] = Element(value.ToString());
            }
        }
        else if (request.ContentLength is not 0 && IsJson(request))
        {
            hasJsonBody = await ReadJsonAsync(request, values, ct);
        }

        foreach (var (name, value) in request.RouteValues)
        {
            values[name] = Element(value?.ToString() ?? "");
        }

        return new RequestParameters(values, hasJsonBody);
    }

    /// <summary>The form, with faults of the client answered as such.</summary>
    public static async Task<IFormCollection> ReadFormAsync(HttpRequest request, CancellationToken ct)
    {
        try
        {
            return await request.ReadFormAsync(ct);
        }
        catch (InvalidDataException e)
        {
            throw ApiException.BadRequest($"malformed form body: {e.Message}");
        }
    }

    private static bool IsJson(HttpRequest request) =>
        string.IsNullOrEmpty(request.ContentType) || request.ContentType.StartsWith("application/json", StringComparison.OrdinalIgnoreCase);

    private static async Task<bool> ReadJsonAsync(HttpRequest request, Dictionary<string, JsonElement> values, CancellationToken ct)
    {
        // The length is known almost always; the limit on the body bounds it.
        using var body = new MemoryStream(request.ContentLength is > 0 and <= int.MaxValue and var length ? (int)length : 0);
        await request.Body.CopyToAsync(body, ct);
        if (body.Length == 0)
        {
            return false;
        }

        try
        {
            // Not pooled on purpose: the elements live as long as the request.
            var document = TextJson.Parse(body.GetBuffer().AsMemory(0, (int)body.Length));
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                throw ApiException.BadRequest("the body must be a JSON object");
            }

            foreach (var property in document.RootElement.EnumerateObject())
            {
                values[property.Name] = property.Value;
            }

            return true;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw ApiException.BadRequest("malformed JSON in the request body");
        }
    }

    private static JsonElement Element(string text) => JsonSerializer.SerializeToElement(text, WireJson.Default.String);
}
