using System.Globalization;

namespace KeepFs.Engine.Blocks;

/// <summary>
/// Names a block and how to reach it: <c>hash[+size][+hint...]</c> (blocks.md section 2). Immutable. Parsing follows rule S
/// (the lenient scan of keepstore); <see cref="LocatorSyntax"/> has the strict rules of manifests and aggregators.
/// </summary>
public readonly record struct Locator
{
    /// <summary>Largest block, in bytes: 64 MiB.</summary>
    public const int MaxBlockSizeBytes = 1 << 26;

    private readonly string? _text;

    private Locator(BlockHash hash, int sizeBytes, string text, bool isSigned, bool isRemote)
    {
        Hash = hash;
        SizeBytes = sizeBytes;
        _text = text;
        IsSigned = isSigned;
        IsRemote = isRemote;
    }

    /// <summary>The locator <c>hash+size</c> without hints.</summary>
    public Locator(BlockHash hash, int sizeBytes)
        : this(hash, sizeBytes, string.Create(CultureInfo.InvariantCulture, $"{hash}+{sizeBytes}"), false, false)
    {
    }

    /// <summary>The block's identity.</summary>
    public BlockHash Hash { get; }

    /// <summary>Size hint in bytes; 0 when absent or zero, which servers treat alike ("unknown").</summary>
    public int SizeBytes { get; }

    /// <summary>Some piece starts with <c>A</c>.</summary>
    public bool IsSigned { get; }

    /// <summary>Some piece starts with <c>R</c>.</summary>
    public bool IsRemote { get; }

    /// <summary>The block without bytes: never fetched, never stored by clients.</summary>
    public bool IsEmptyBlock => Hash == BlockHash.Empty;

    /// <summary>Parses by rule S.</summary>
    /// <exception cref="FormatException">The text breaks rule S; the message shows it.</exception>
    public static Locator Parse(string text) =>
        TryParse(text, out var locator) ? locator : throw new FormatException($"'{text}' is not a block locator.");

    /// <summary>
    /// Parses by rule S: no empty piece, 32 lower-case hex digits first, no piece after the second starts with a digit.
    /// A negative or too large size is refused (blocks.md 2.1, proposal).
    /// </summary>
    public static bool TryParse(string? text, out Locator locator)
    {
        locator = default;
        if (text is null || text.Length < BlockHash.TextLength || !BlockHash.TryParse(text.AsSpan(0, BlockHash.TextLength), out var hash))
        {
            return false;
        }

        var (size, signed, remote, piece) = (0, false, false, 0);
        var rest = text.AsSpan(BlockHash.TextLength);
        while (!rest.IsEmpty)
        {
            if (rest[0] != '+')
            {
                return false;
            }

            rest = rest[1..];
            var end = rest.IndexOf('+');
            var hint = end < 0 ? rest : rest[..end];
            rest = end < 0 ? default : rest[end..];
            if (hint.IsEmpty)
            {
                return false;
            }

            piece++;
            if (piece == 1 && hint[0] is '-' && long.TryParse(hint, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _))
            {
                return false;
            }

            if (char.IsAsciiDigit(hint[0]))
            {
                if (piece != 1)
                {
                    return false;
                }

                if (!hint.ContainsAnyExceptInRange('0', '9') && !int.TryParse(hint, NumberStyles.None, CultureInfo.InvariantCulture, out size))
                {
                    return false;
                }
            }

            signed |= hint[0] == 'A';
            remote |= hint[0] == 'R';
        }

        locator = new Locator(hash, size, text, signed, remote);
        return true;
    }

    /// <summary>The same locator without any <c>+A</c> hint.</summary>
    public Locator WithoutSignature() => IsSigned ? Parse(LocatorSyntax.StripSignatures(ToString())) : this;

    /// <summary>The hints named by their first letter, in order, without the <c>+</c>.</summary>
    public IEnumerable<string> HintsOfType(char type)
    {
        var text = ToString();
        var at = text.IndexOf('+', StringComparison.Ordinal);
        while (at >= 0)
        {
            var next = text.IndexOf('+', at + 1);
            if (text[at + 1] == type)
            {
                yield return next < 0 ? text[(at + 1)..] : text[(at + 1)..next];
            }

            at = next;
        }
    }

    /// <summary>The text that was parsed, unchanged.</summary>
    public override string ToString() => _text ?? throw new InvalidOperationException("A default Locator names no block.");
}
