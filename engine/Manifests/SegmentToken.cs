using System.Buffers.Text;

namespace KeepFs.Engine.Manifests;

/// <summary>A <c>position:size:name</c> token, the name still escaped (manifests.md section 1).</summary>
internal readonly ref struct SegmentToken
{
    private SegmentToken(long position, long size, ReadOnlySpan<byte> name)
    {
        Position = position;
        Size = size;
        Name = name;
    }

    public long Position { get; }

    public long Size { get; }

    public ReadOnlySpan<byte> Name { get; }

    /// <summary>Digits and colons are literal and the name is not empty; the name itself is not checked.</summary>
    public static bool TryParse(ReadOnlySpan<byte> token, out SegmentToken segment)
    {
        segment = default;
        if (!TryNumber(ref token, out var position) || !TryNumber(ref token, out var size) || token.IsEmpty)
        {
            return false;
        }

        segment = new SegmentToken(position, size, token);
        return true;
    }

    private static bool TryNumber(ref ReadOnlySpan<byte> token, out long value)
    {
        value = 0;
        var colon = token.IndexOf((byte)':');
        if (colon <= 0 || token[..colon].ContainsAnyExceptInRange((byte)'0', (byte)'9'))
        {
            return false;
        }

        var digits = token[..colon].TrimStart((byte)'0');
        token = token[(colon + 1)..];
        return digits.IsEmpty || (Utf8Parser.TryParse(digits, out value, out var used) && used == digits.Length);
    }
}
