using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Requests;

/// <summary>The Depth header (RFC 4918 10.2).</summary>
internal static class DepthHeader
{
    public const int Infinity = int.MaxValue;

    /// <summary>0, 1, <see cref="Infinity"/>, or null when there is none.</summary>
    public static int? Of(HttpRequest request) => request.Headers["Depth"].ToString().Trim().ToUpperInvariant() switch
    {
        "" => null,
        "0" => 0,
        "1" => 1,
        "INFINITY" => Infinity,
        _ => throw new WebException(StatusCodes.Status400BadRequest, "Depth must be 0, 1 or infinity."),
    };
}
