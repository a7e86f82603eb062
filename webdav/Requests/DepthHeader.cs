using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Requests;

/// <summary>The Depth header (RFC 4918 10.2).</summary>
internal static class DepthHeader
{
    public const int Infinity = int.MaxValue;

    private const string NoRoot = "NOROOT";

    /// <summary>Windows asks for members alone with <c>1,noroot</c>.</summary>
    public static bool LeavesOutRoot(HttpRequest request) => Text(request).Split(',') is [_, var flag] && flag.Trim() == NoRoot && Of(request) != 0;

    /// <summary>0, 1, <see cref="Infinity"/>, or null when there is none.</summary>
    public static int? Of(HttpRequest request) => Text(request).Split(',')[0].Trim() switch
    {
        "" => null,
        "0" => 0,
        "1" => 1,
        "INFINITY" => Infinity,
        _ => throw new WebException(StatusCodes.Status400BadRequest, "Depth must be 0, 1 or infinity."),
    };

    /// <summary>Anything behind a comma but that flag is no Depth.</summary>
    private static string Text(HttpRequest request)
    {
        var text = request.Headers["Depth"].ToString().Trim().ToUpperInvariant();
        return text.Contains(',', StringComparison.Ordinal) && text[(text.IndexOf(',', StringComparison.Ordinal) + 1)..].Trim() != NoRoot ? "?" : text;
    }
}
