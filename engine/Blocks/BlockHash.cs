using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace KeepFs.Engine.Blocks;

/// <summary>
/// The identity of a block: the MD5 of its bytes (blocks.md section 1). A 16-byte value; its text form is 32 lower-case
/// hex digits. Ordering is that of the text form. Immutable and safe to share between threads.
/// </summary>
public readonly record struct BlockHash : IComparable<BlockHash>, ISpanFormattable, IUtf8SpanFormattable
{
    /// <summary>Length of the text form, in characters or UTF-8 bytes.</summary>
    public const int TextLength = 32;

    private readonly ulong _high;
    private readonly ulong _low;

    private BlockHash(ulong high, ulong low)
    {
        _high = high;
        _low = low;
    }

    /// <summary>Hash of the block without bytes, which is never stored by clients (blocks.md section 1).</summary>
    public static BlockHash Empty { get; } = Parse("d41d8cd98f00b204e9800998ecf8427e");

    /// <summary>Wraps the 16 bytes of an MD5 digest.</summary>
    public static BlockHash FromDigest(ReadOnlySpan<byte> digest)
    {
        if (digest.Length != 16)
        {
            throw new ArgumentException("An MD5 digest has 16 bytes.", nameof(digest));
        }

        return new BlockHash(BinaryPrimitives.ReadUInt64BigEndian(digest), BinaryPrimitives.ReadUInt64BigEndian(digest[8..]));
    }

    /// <summary>Computes the hash of a block's bytes.</summary>
    public static BlockHash Compute(ReadOnlySpan<byte> data)
    {
        Span<byte> digest = stackalloc byte[16];
        MD5.HashData(data, digest);
        return FromDigest(digest);
    }

    /// <summary>Parses exactly 32 lower-case hex digits.</summary>
    /// <exception cref="FormatException">The text is anything else.</exception>
    public static BlockHash Parse(ReadOnlySpan<char> text) =>
        TryParse(text, out var hash) ? hash : throw new FormatException($"'{text}' is not a block hash: expected 32 lower-case hex digits.");

    /// <summary>Parses exactly 32 lower-case hex digits; upper case is refused, as keepstore does.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out BlockHash hash)
    {
        hash = default;
        if (text.Length != TextLength)
        {
            return false;
        }

        Span<byte> utf8 = stackalloc byte[TextLength];
        for (var i = 0; i < TextLength; i++)
        {
            if (text[i] > 0x7f)
            {
                return false;
            }

            utf8[i] = (byte)text[i];
        }

        return TryParse(utf8, out hash);
    }

    /// <inheritdoc cref="TryParse(ReadOnlySpan{char}, out BlockHash)"/>
    public static bool TryParse(ReadOnlySpan<byte> utf8, out BlockHash hash)
    {
        hash = default;
        if (utf8.Length != TextLength || !TryParseHex(utf8[..16], out var high) || !TryParseHex(utf8[16..], out var low))
        {
            return false;
        }

        hash = new BlockHash(high, low);
        return true;
    }

    /// <summary>Writes the 16 digest bytes.</summary>
    public void CopyTo(Span<byte> digest)
    {
        BinaryPrimitives.WriteUInt64BigEndian(digest, _high);
        BinaryPrimitives.WriteUInt64BigEndian(digest[8..], _low);
    }

    /// <inheritdoc/>
    public int CompareTo(BlockHash other)
    {
        var high = _high.CompareTo(other._high);
        return high != 0 ? high : _low.CompareTo(other._low);
    }

    public static bool operator <(BlockHash left, BlockHash right) => left.CompareTo(right) < 0;

    public static bool operator >(BlockHash left, BlockHash right) => left.CompareTo(right) > 0;

    public static bool operator <=(BlockHash left, BlockHash right) => left.CompareTo(right) <= 0;

    public static bool operator >=(BlockHash left, BlockHash right) => left.CompareTo(right) >= 0;

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_low);

    /// <summary>The 32 lower-case hex digits.</summary>
    public override string ToString() => string.Create(TextLength, this, static (span, hash) => hash.TryFormat(span, out _, default, null));

    /// <inheritdoc/>
    public string ToString(string? format, IFormatProvider? formatProvider) => ToString();

    /// <inheritdoc/>
    public bool TryFormat(Span<char> destination, out int charsWritten, ReadOnlySpan<char> format, IFormatProvider? provider)
    {
        Span<byte> utf8 = stackalloc byte[TextLength];
        TryFormat(utf8, out _, default, null);
        charsWritten = 0;
        return destination.Length >= TextLength && Encoding.ASCII.TryGetChars(utf8, destination, out charsWritten);
    }

    /// <inheritdoc/>
    public bool TryFormat(Span<byte> utf8Destination, out int bytesWritten, ReadOnlySpan<char> format, IFormatProvider? provider)
    {
        bytesWritten = 0;
        if (utf8Destination.Length < TextLength)
        {
            return false;
        }

        Span<byte> digest = stackalloc byte[16];
        CopyTo(digest);
        return Convert.TryToHexStringLower(digest, utf8Destination, out bytesWritten);
    }

    private static bool TryParseHex(ReadOnlySpan<byte> utf8, out ulong value)
    {
        value = 0;
        foreach (var c in utf8)
        {
            uint digit;
            if (c is >= (byte)'0' and <= (byte)'9')
            {
                digit = (uint)(c - '0');
            }
            else if (c is >= (byte)'a' and <= (byte)'f')
            {
                digit = (uint)(c - 'a' + 10);
            }
            else
            {
                return false;
            }

            value = (value << 4) | digit;
        }

        return true;
    }
}
