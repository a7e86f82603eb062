using System.Text;
using KeepFs.WebDav.S3.Protocol;

namespace KeepFs.WebDav.S3.Objects;

/// <summary>A key as a path. Keys of S3 are any text; only those that are clean paths can name a file.</summary>
/// <param name="Names">The components that are not empty.</param>
/// <param name="IsFolder">Ends with a slash.</param>
/// <param name="IsClean">Is exactly its path: no empty component, no "." or "..", no NUL.</param>
internal sealed record ObjectKey(IReadOnlyList<string> Names, bool IsFolder, bool IsClean)
{
    private const int MaxComponentBytes = 255;

    /// <summary>Without leading and trailing slash.</summary>
    public string Path => string.Join('/', Names);

    public static ObjectKey Parse(string key)
    {
        var isFolder = key.EndsWith('/');
        var parts = (isFolder ? key[..^1] : key).Split('/');
        return new ObjectKey([.. parts.Where(part => part.Length > 0)], isFolder, parts.All(IsName));
    }

    /// <summary>Could name something when repeated slashes count as one (keep-web.md 4.2): keys for reading are lenient.</summary>
    public bool IsReadable => Names.Count > 0 && Names.All(IsName);

    /// <summary>Throws unless the key can be written: what cannot be held exactly as it is, is refused.</summary>
    public ObjectKey RequireWritable()
    {
        if (!IsClean)
        {
            throw S3Errors.InvalidArgument("Keys are paths here: they cannot have empty components, \".\", \"..\" or NUL.");
        }

        return Names.Any(name => Encoding.UTF8.GetByteCount(name) > MaxComponentBytes) ? throw S3Errors.KeyTooLong() : this;
    }

    private static bool IsName(string part) => part is not ("" or "." or "..") && !part.Contains('\0', StringComparison.Ordinal);
}
