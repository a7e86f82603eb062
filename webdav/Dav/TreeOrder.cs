namespace KeepFs.WebDav.Dav;

/// <summary>
/// The order of a walk through a collection, in which the catalogue also gives dead properties: parents before children, siblings by the bytes of their names.
/// </summary>
internal sealed class TreeOrder : IComparer<string>
{
    public static TreeOrder Instance { get; } = new();

    public int Compare(string? x, string? y)
    {
        var (a, b) = (x!, y!);
        var common = a.AsSpan().CommonPrefixLength(b);
        return common == a.Length || common == b.Length ? a.Length.CompareTo(b.Length) : Rank(a[common]).CompareTo(Rank(b[common]));
    }

    /// <summary>A slash comes first; surrogates stand for characters behind all others, as in UTF-8.</summary>
    private static int Rank(char c) => c == '/' ? 0 : char.IsSurrogate(c) ? c + 0x10000 : c;
}
