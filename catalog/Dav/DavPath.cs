using System.Text;

namespace KeepFs.Catalog.Dav;

/// <summary>
/// Paths as they are stored beside locks and properties: UTF-8 with a zero byte for each slash. Comparing the bytes then gives the order of a walk through
/// the tree, and everything below a directory is one range of the index.
/// </summary>
internal static class DavPath
{
    public const byte Separator = 0;

    public static byte[] Key(string path)
    {
        var key = Encoding.UTF8.GetBytes(path.Trim('/'));
        key.AsSpan().Replace((byte)'/', Separator);
        return key;
    }

    public static string Text(byte[] key)
    {
        var text = key.AsSpan().ToArray();
        text.AsSpan().Replace(Separator, (byte)'/');
        return Encoding.UTF8.GetString(text);
    }

    /// <summary>Everything below: from the first, included, to the second, excluded. No UTF-8 text begins with 0xFF.</summary>
    public static (byte[] From, byte[] To) Below(byte[] key) => key.Length == 0 ? ([1], [0xFF]) : ([.. key, Separator], [.. key, Separator + 1]);

    /// <summary>The part of a key below another.</summary>
    public static byte[] Rebase(byte[] key, byte[] from, byte[] to)
    {
        var rest = key.AsSpan(from.Length);
        return from.Length == 0 && to.Length > 0 && rest.Length > 0 ? [.. to, Separator, .. rest]
            : to.Length == 0 && rest.Length > 0 && rest[0] == Separator ? rest[1..].ToArray()
            : [.. to, .. rest];
    }
}
