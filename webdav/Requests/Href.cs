using System.Text;

namespace KeepFs.WebDav.Requests;

/// <summary>Percent-encodes names for URLs in headers, XML and HTML: what is left as it is needs no escaping in any of them.</summary>
internal static class Href
{
    private const string Hex = "0123456789ABCDEF";

    /// <summary>An absolute path.</summary>
    public static string Of(IEnumerable<string> names, bool isDirectory)
    {
        var text = new StringBuilder();
        foreach (var name in names)
        {
            text.Append('/');
            Append(text, name);
        }

        return isDirectory ? text.Append('/').ToString() : text.ToString();
    }

    /// <summary>One name.</summary>
    public static string Encode(string name)
    {
        var text = new StringBuilder(name.Length);
        Append(text, name);
        return text.ToString();
    }

    private static void Append(StringBuilder text, string name)
    {
        foreach (var b in Encoding.UTF8.GetBytes(name))
        {
            // '=' ',' '@' ':' stand for themselves, so that "/c=ID" looks as the client wrote it.
            if (char.IsAsciiLetterOrDigit((char)b) || "-._~=,@:".Contains((char)b, StringComparison.Ordinal))
            {
                text.Append((char)b);
            }
            else
            {
                text.Append('%').Append(Hex[b >> 4]).Append(Hex[b & 15]);
            }
        }
    }
}
