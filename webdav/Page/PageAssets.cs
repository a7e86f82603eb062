using System.Security.Cryptography;
using KeepFs.WebDav.Downloads;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Page;

/// <summary>The style sheet and the script of the page, from this assembly. Their addresses hold a digest, so that browsers may keep them for good.</summary>
internal sealed class PageAssets
{
    private readonly Asset _style = Asset.Load("page.css", "text/css; charset=utf-8");
    private readonly Asset _script = Asset.Load("page.js", "text/javascript; charset=utf-8");

    public string StyleUrl => _style.Url;

    public string ScriptUrl => _script.Url;

    /// <summary>Sends one; false when there is none of that name.</summary>
    public async Task<bool> TrySendAsync(HttpContext context, string name)
    {
        var asset = name == _style.Name ? _style : name == _script.Name ? _script : null;
        if (asset is null)
        {
            return false;
        }

        var (request, response) = (context.Request, context.Response);
        response.Headers.ETag = asset.Tag;
        response.Headers.CacheControl = "public, max-age=31536000, immutable";
        response.Headers.XContentTypeOptions = "nosniff";
        GzipEncoding.AddVary(response);
        if (request.Headers.IfNoneMatch == asset.Tag)
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return true;
        }

        response.ContentType = asset.Type;
        response.ContentLength = asset.Bytes.Length;
        if (!HttpMethods.IsHead(request.Method))
        {
            await GzipEncoding.WriteAsync(context, GzipEncoding.IsWanted(request), body => body.WriteAsync(asset.Bytes, context.RequestAborted).AsTask());
        }

        return true;
    }

    private sealed record Asset(string Name, string Type, byte[] Bytes, string Tag)
    {
        public string Url => $"/_keepfs/{Name}?{Tag[1..^1]}";

        public static Asset Load(string name, string type)
        {
            using var stream = typeof(PageAssets).Assembly.GetManifestResourceStream("KeepFs.WebDav.Page." + name)
                ?? throw new InvalidOperationException($"{name} is not in the assembly.");
            using var copy = new MemoryStream();
            stream.CopyTo(copy);
            var bytes = copy.ToArray();
            return new Asset(name, type, bytes, $"\"{Convert.ToHexStringLower(SHA256.HashData(bytes))[..16]}\"");
        }
    }
}
