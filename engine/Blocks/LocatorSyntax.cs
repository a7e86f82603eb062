using System.Text.RegularExpressions;

namespace KeepFs.Engine.Blocks;

/// <summary>The strict acceptance rules of blocks.md section 2.1, beside rule S of <see cref="Locator"/>.</summary>
public static partial class LocatorSyntax
{
    /// <summary>Rule V: lower-case digest, size, hints that start with an upper-case letter.</summary>
    public static bool IsSizedLocator(ReadOnlySpan<char> text) => RuleV().IsMatch(text);

    /// <summary>Rule M (manifest token): like V, but upper-case digests and a missing size pass.</summary>
    public static bool IsManifestLocator(ReadOnlySpan<char> text) => RuleM().IsMatch(text);

    /// <summary>Rule D (digest parser): like V, but upper-case digests pass.</summary>
    public static bool IsDigestLocator(ReadOnlySpan<char> text) => RuleD().IsMatch(text);

    /// <summary>Removes every <c>+A...</c> hint and nothing else (blocks.md section 3).</summary>
    public static string StripSignatures(string locator) => Signatures().Replace(locator, "");

    // \z, not $: a trailing line feed is not part of a locator.
    [GeneratedRegex(@"\A[0-9a-f]{32}\+[0-9]+(\+[A-Z][-A-Za-z0-9@_]*)*\z", RegexOptions.CultureInvariant)]
    private static partial Regex RuleV();

    [GeneratedRegex(@"\A[0-9a-fA-F]{32}(\+[0-9]+)?(\+[A-Z][-A-Za-z0-9@_]*)*\z", RegexOptions.CultureInvariant)]
    private static partial Regex RuleM();

    [GeneratedRegex(@"\A[0-9a-fA-F]{32}\+[0-9]+(\+[A-Z][-A-Za-z0-9@_]*)*\z", RegexOptions.CultureInvariant)]
    private static partial Regex RuleD();

    [GeneratedRegex(@"\+A[^+]*", RegexOptions.CultureInvariant)]
    private static partial Regex Signatures();
}
