using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using KeepFs.Hosting.Http;
using KeepFs.WebDav.S3.Protocol;
using KeepFs.WebDav.S3.Signing;

namespace KeepFs.WebDav.S3.Bodies;

/// <summary>
/// The content of an <c>aws-chunked</c> body: framing taken off, the signature of every chunk and of the trailer verified where there are any. The
/// end of the stream is only reached when all of it was right. Read by one reader; the source is not disposed.
/// </summary>
/// <param name="source">The body as it arrives.</param>
/// <param name="decodedLength">What <c>x-amz-decoded-content-length</c> says.</param>
/// <param name="signer">Null: chunks carry no signatures.</param>
/// <param name="seedSignature">The request's signature, which the first chunk's builds on.</param>
/// <param name="hasTrailer">Headers follow the last chunk.</param>
internal sealed class AwsChunkedStream(Stream source, long decodedLength, SigningScope? signer, string seedSignature, bool hasTrailer) : ForwardStream
{
    private const int BufferBytes = 64 << 10;

    /// <summary>A chunk's head has a length and a signature, a trailer a few checksums.</summary>
    private const int MaxLineBytes = 4096;

    private const int MaxTrailers = 16;

    private readonly byte[] _buffer = new byte[BufferBytes];
    private readonly IncrementalHash? _hash = signer is null ? null : IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly Dictionary<string, string> _trailers = new(StringComparer.OrdinalIgnoreCase);
    private int _start;
    private int _end;
    private long _left = -1;
    private long _total;
    private string _previous = seedSignature;
    private string _signature = "";
    private bool _isDone;

    /// <summary>The headers behind the last chunk; complete at the end of the stream.</summary>
    public IReadOnlyDictionary<string, string> Trailers => _trailers;

    public override bool CanRead => true;

    public override async ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken = default)
    {
        if (destination.IsEmpty || _isDone)
        {
            return 0;
        }

        while (_left <= 0)
        {
            if (_left == 0)
            {
                await EndChunkAsync(cancellationToken);
            }

            await BeginChunkAsync(cancellationToken);
            if (_left == 0)
            {
                await EndBodyAsync(cancellationToken);
                return 0;
            }
        }

        var wanted = (int)Math.Min(destination.Length, _left);
        int read;
        if (_start < _end)
        {
            read = Math.Min(wanted, _end - _start);
            _buffer.AsMemory(_start, read).CopyTo(destination);
            _start += read;
        }
        else
        {
            read = await source.ReadAsync(destination[..wanted], cancellationToken);
            if (read == 0)
            {
                throw S3Errors.IncompleteBody("The body ended within a chunk.");
            }
        }

        _hash?.AppendData(destination.Span[..read]);
        _left -= read;
        return read;
    }

    protected override void Dispose(bool disposing)
    {
        _hash?.Dispose();
        base.Dispose(disposing);
    }

    private async ValueTask BeginChunkAsync(CancellationToken cancellationToken)
    {
        var line = await ReadLineAsync(cancellationToken);
        var semicolon = line.IndexOf(';', StringComparison.Ordinal);
        if (!long.TryParse(semicolon < 0 ? line : line[..semicolon], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var length) || length < 0)
        {
            throw S3Errors.InvalidRequest("A chunk of the body has no length.");
        }

        if (length > decodedLength - _total)
        {
            throw S3Errors.IncompleteBody("The body is longer than x-amz-decoded-content-length.");
        }

        const string parameter = "chunk-signature=";
        _signature = semicolon >= 0 && line.AsSpan(semicolon + 1).StartsWith(parameter) ? line[(semicolon + 1 + parameter.Length)..] : "";
        (_left, _total) = (length, _total + length);
    }

    private async ValueTask EndChunkAsync(CancellationToken cancellationToken)
    {
        CheckChunk();
        if ((await ReadLineAsync(cancellationToken)).Length > 0)
        {
            throw S3Errors.InvalidRequest("A chunk of the body is longer than it says.");
        }
    }

    private void CheckChunk()
    {
        if (signer is null)
        {
            return;
        }

        if (!SigningScope.Same(signer.SignChunk(_previous, _hash!.GetHashAndReset()), _signature))
        {
            throw S3Errors.SignatureDoesNotMatch();
        }

        _previous = _signature;
    }

    private async ValueTask EndBodyAsync(CancellationToken cancellationToken)
    {
        CheckChunk();
        if (_total != decodedLength)
        {
            throw S3Errors.IncompleteBody("The body is shorter than x-amz-decoded-content-length.");
        }

        var signed = new StringBuilder();
        string? signature = null;
        for (var count = 0; ; count++)
        {
            var line = await ReadLineAsync(cancellationToken, mayEnd: true);
            if (line.Length == 0)
            {
                break;
            }

            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (!hasTrailer || colon <= 0 || count == MaxTrailers)
            {
                throw S3Errors.InvalidRequest("What follows the last chunk is no trailer.");
            }

            var (name, value) = (line[..colon].Trim().ToLowerInvariant(), line[(colon + 1)..].Trim());
            if (name == "x-amz-trailer-signature")
            {
                signature = value;
            }
            else if (signature is not null || !_trailers.TryAdd(name, value))
            {
                throw S3Errors.InvalidRequest("The trailer of the body is malformed.");
            }
            else
            {
                signed.Append(name).Append(':').Append(value).Append('\n');
            }
        }

        if (hasTrailer && signer is not null && !SigningScope.Same(signer.SignTrailer(_previous, signed.ToString()), signature ?? ""))
        {
            throw S3Errors.SignatureDoesNotMatch();
        }

        _isDone = true;
    }

    /// <summary>A line without its end; ends are CR LF, a bare LF is taken as well.</summary>
    private async ValueTask<string> ReadLineAsync(CancellationToken cancellationToken, bool mayEnd = false)
    {
        var line = new StringBuilder();
        while (true)
        {
            if (_start == _end)
            {
                (_start, _end) = (0, await source.ReadAsync(_buffer, cancellationToken));
                if (_end == 0)
                {
                    return mayEnd && line.Length == 0 ? "" : throw S3Errors.IncompleteBody("The body ended between chunks.");
                }
            }

            var newline = _buffer.AsSpan(_start, _end - _start).IndexOf((byte)'\n');
            var length = newline < 0 ? _end - _start : newline;
            if (line.Length + length > MaxLineBytes)
            {
                throw S3Errors.InvalidRequest("The framing of the body is not aws-chunked.");
            }

            line.Append(Encoding.Latin1.GetString(_buffer, _start, length));
            _start += newline < 0 ? length : length + 1;
            if (newline >= 0)
            {
                return line is [.., '\r'] ? line.ToString(0, line.Length - 1) : line.ToString();
            }
        }
    }
}
