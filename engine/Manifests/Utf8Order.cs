namespace KeepFs.Engine.Manifests;

/// <summary>
/// Compares strings as their UTF-8 bytes would (equals code point order), which is the order of manifests and listings; ordinal
/// UTF-16 order differs for characters outside the basic plane (manifests.md section 6).
/// </summary>
public sealed class Utf8Order : IComparer<string>
{
    private Utf8Order()
    {
    }

    /// <summary>The comparer.</summary>
    public static Utf8Order Instance { get; } = new();

    /// <inheritdoc/>
    public int Compare(string? x, string? y)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(y);
        var common = x.AsSpan().CommonPrefixLength(y);
        if (common == x.Length || common == y.Length)
        {
            return x.Length.CompareTo(y.Length);
        }

        var (a, b) = (x[common], y[common]);

        // Surrogates stand for code points above every other char, but sort below U+E000..U+FFFF as UTF-16.
        return char.IsSurrogate(a) == char.IsSurrogate(b) ? a.CompareTo(b) : char.IsSurrogate(a) ? 1 : -1;
    }
}
