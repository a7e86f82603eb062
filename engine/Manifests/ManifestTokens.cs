using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Manifests;

/// <summary>Walks a manifest's lines and tokens as spans; copies nothing.</summary>
internal ref struct ManifestTokens(ReadOnlySpan<byte> text)
{
    private ReadOnlySpan<byte> _rest = text;
    private ReadOnlySpan<byte> _line;
    private bool _lineHasMore;

    /// <summary>Number of the current stream, from 1.</summary>
    public int StreamNumber { get; private set; }

    /// <summary>Start of the current token in the manifest.</summary>
    public int TokenOffset { get; private set; }

    private int _offset;

    /// <summary>Moves to the next line; it ends at the line feed or at the end of the text.</summary>
    public bool MoveToNextStream()
    {
        if (_rest.IsEmpty)
        {
            return false;
        }

        _offset = _total - _rest.Length;
        var end = _rest.IndexOf((byte)'\n');
        _line = end < 0 ? _rest : _rest[..end];
        _rest = end < 0 ? default : _rest[(end + 1)..];
        _lineHasMore = true;
        StreamNumber++;
        return true;
    }

    private readonly int _total = text.Length;

    /// <summary>The next token of the line; empty tokens (doubled or trailing space) are returned as such.</summary>
    public bool TryNextToken(out ReadOnlySpan<byte> token)
    {
        token = default;
        if (!_lineHasMore)
        {
            return false;
        }

        TokenOffset = _offset;
        var space = _line.IndexOf((byte)' ');
        if (space < 0)
        {
            token = _line;
            _lineHasMore = false;
            return true;
        }

        token = _line[..space];
        _line = _line[(space + 1)..];
        _offset += space + 1;
        return true;
    }

    /// <summary>
    /// The fast rule for block tokens of manifests.md section 7: 32 hex digits, then <c>+</c>; or a bare digest. Tokens of the manifest's first
    /// position are stream names and never asked.
    /// </summary>
    public static bool LooksLikeLocator(ReadOnlySpan<byte> token) =>
        token.Length >= BlockHash.TextLength
        && (token.Length == BlockHash.TextLength || token[BlockHash.TextLength] == (byte)'+')
        && IsHex(token[..BlockHash.TextLength]);

    private static bool IsHex(ReadOnlySpan<byte> text)
    {
        foreach (var c in text)
        {
            if (!char.IsAsciiHexDigit((char)c))
            {
                return false;
            }
        }

        return true;
    }
}
