using Microsoft.AspNetCore.StaticFiles;

namespace KeepFs.WebDav.Downloads;

/// <summary>Media types by extension. Data is never looked at: a GET, a HEAD and a PROPFIND say the same.</summary>
internal static class ContentTypes
{
    private static readonly FileExtensionContentTypeProvider Known = new();

    public static string Of(string name) => !Known.TryGetContentType(name, out var type) ? "application/octet-stream"
        : type.StartsWith("text/", StringComparison.Ordinal) ? type + "; charset=utf-8" : type;
}
