using System.Text;

namespace KeepFs.WebDav.S3.Listing;

/// <summary>One page of a listing (keep-web.md 4.4).</summary>
/// <param name="Contents">Keys with what is known of them, in byte order.</param>
/// <param name="CommonPrefixes">In byte order.</param>
/// <param name="Last">The last key or prefix of the page, where the next one goes on; "" when the page is empty.</param>
/// <param name="IsTruncated">There is more.</param>
internal sealed record ListPage(
    IReadOnlyList<(string Key, KeyEntry Entry)> Contents, IReadOnlyList<string> CommonPrefixes, string Last, bool IsTruncated)
{
    /// <summary>Collects a page.</summary>
    /// <param name="keys">The bucket.</param>
    /// <param name="prefix">What all keys begin with.</param>
    /// <param name="delimiter">What folds the rest of a key into a prefix; "" = nothing.</param>
    /// <param name="after">Only keys and prefixes behind it; "" = all. A prefix that it lies in is shown again.</param>
    /// <param name="limit">Most keys and prefixes together.</param>
    /// <param name="cancellationToken">Ends the walk.</param>
    public static async Task<ListPage> ReadAsync(KeyCursor keys, string prefix, string delimiter, string after, int limit, CancellationToken cancellationToken)
    {
        var (prefixBytes, delimiterBytes, afterBytes) = (Encoding.UTF8.GetBytes(prefix), Encoding.UTF8.GetBytes(delimiter), Encoding.UTF8.GetBytes(after));

        // The first key behind "x" is "x\0".
        byte[] from = afterBytes.Length == 0 || prefixBytes.AsSpan().SequenceCompareTo(afterBytes) > 0 ? prefixBytes : [.. afterBytes, 0];
        var contents = new List<(string, KeyEntry)>();
        var prefixes = new List<string>();
        var last = "";
        var found = await keys.SeekAsync(from, cancellationToken);
        while (found && keys.Key.StartsWith(prefixBytes))
        {
            var common = CommonPrefix(keys.Key, prefixBytes.Length, delimiterBytes);
            if (common is not null && afterBytes.AsSpan().SequenceEqual(common))
            {
                found = await keys.SeekAsync(Behind(common), cancellationToken);
                continue;
            }

            if (contents.Count + prefixes.Count == limit)
            {
                return new ListPage(contents, prefixes, last, IsTruncated: true);
            }

            last = Encoding.UTF8.GetString(common ?? keys.Key);
            if (common is null)
            {
                contents.Add((last, keys.Entry));
                found = await keys.NextAsync(cancellationToken);
            }
            else
            {
                prefixes.Add(last);
                found = await keys.SeekAsync(Behind(common), cancellationToken);
            }
        }

        return new ListPage(contents, prefixes, last, IsTruncated: false);
    }

    private static byte[]? CommonPrefix(ReadOnlySpan<byte> key, int prefixLength, byte[] delimiter)
    {
        var at = delimiter.Length == 0 ? -1 : key[prefixLength..].IndexOf(delimiter);
        return at < 0 ? null : key[..(prefixLength + at + delimiter.Length)].ToArray();
    }

    /// <summary>The first text that is greater than all that begin so; UTF-8 has no byte 255.</summary>
    private static byte[] Behind(byte[] prefix)
    {
        var next = prefix.ToArray();
        next[^1]++;
        return next;
    }
}
