using System.Text;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Requests;

/// <summary>
/// The path of a URL, component by component and decoded. Taken from the raw request target: <c>%2F</c> inside a name must not become a separator,
/// and <c>%25</c> must be decoded once only.
/// </summary>
/// <param name="Names">Decoded components; empty ones (double slashes) are dropped. Not yet checked: a token may hold slashes, a name may not.</param>
/// <param name="HasTrailingSlash">The path ended with a slash; true for the root.</param>
internal sealed record RequestPath(IReadOnlyList<string> Names, bool HasTrailingSlash)
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The longest URL path that is looked at; Kestrel's own limit for a request line is 8 KiB.</summary>
    private const int MaxComponents = 512;

    /// <summary>Parses the target of a request line or the path of a Destination header.</summary>
    /// <exception cref="WebException">400: not an absolute path, or bad percent-encoding.</exception>
    public static RequestPath Parse(string target)
    {
        var path = target.AsSpan();
        if (path is "*")
        {
            return new RequestPath([], true);
        }

        var scheme = target.IndexOf("://", StringComparison.Ordinal);
        if (scheme > 0 && !target.StartsWith('/'))
        {
            path = path[(scheme + 3)..];
            path = path.IndexOf('/') is >= 0 and var slash ? path[slash..] : "/";
        }

        // A fragment is never sent; cutting it off would act on another resource than the one that was meant.
        if (path.Contains('#'))
        {
            throw Bad("The URL has a fragment; a '#' in a name is written %23.");
        }

        if (path.IndexOf('?') is >= 0 and var query)
        {
            path = path[..query];
        }

        if (path.IsEmpty || path[0] != '/')
        {
            throw Bad("The path must start with a slash.");
        }

        var names = new List<string>();
        foreach (var part in path.Split('/'))
        {
            if (!path[part].IsEmpty)
            {
                names.Add(Decode(path[part]));
            }
        }

        return names.Count > MaxComponents ? throw Bad("The path has too many components.") : new RequestPath(names, path[^1] == '/');
    }

    private static string Decode(ReadOnlySpan<char> part)
    {
        var bytes = new byte[Encoding.UTF8.GetMaxByteCount(part.Length)];
        var length = 0;
        for (var i = 0; i < part.Length; i++)
        {
            if (part[i] == '%')
            {
                if (i + 2 >= part.Length || !byte.TryParse(part.Slice(i + 1, 2), System.Globalization.NumberStyles.AllowHexSpecifier, null, out bytes[length]))
                {
                    throw Bad("The path has a bad percent-encoding.");
                }

                (i, length) = (i + 2, length + 1);
            }
            else
            {
                // A surrogate pair must be encoded as one.
                var size = char.IsHighSurrogate(part[i]) && i + 1 < part.Length ? 2 : 1;
                length += Encoding.UTF8.GetBytes(part.Slice(i, size), bytes.AsSpan(length));
                i += size - 1;
            }
        }

        try
        {
            return Strict.GetString(bytes, 0, length);
        }
        catch (DecoderFallbackException)
        {
            throw Bad("The path is not UTF-8.");
        }
    }

    private static WebException Bad(string message) => new(StatusCodes.Status400BadRequest, message);
}
