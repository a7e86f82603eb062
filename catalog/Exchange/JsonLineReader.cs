using System.Buffers;

namespace KeepFs.Catalog.Exchange;

/// <summary>Cuts a stream into lines. Holds one line in memory. For one thread at a time; dispose it after use.</summary>
internal sealed class JsonLineReader(Stream stream) : IDisposable
{
    /// <summary>A manifest of 128 MiB is the largest that clients can send; those that grew by patches may be somewhat larger.</summary>
    private const int MaxLineBytes = 512 << 20;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(1 << 16);
    private int _start;
    private int _end;
    private bool _isAtEnd;

    /// <summary>Of the line that was read last; the first is 1.</summary>
    public long Number { get; private set; }

    /// <summary>The next line that is not empty, valid until the next call; null at the end.</summary>
    /// <exception cref="ApiException">The line is too long.</exception>
    public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(CancellationToken ct)
    {
        var searched = 0;
        while (true)
        {
            var newline = _buffer.AsSpan(_start + searched, _end - _start - searched).IndexOf((byte)'\n');
            if (newline >= 0 || (_isAtEnd && _end > _start))
            {
                var length = newline >= 0 ? searched + newline : _end - _start;
                var line = _buffer.AsMemory(_start, length);
                _start = Math.Min(_end, _start + length + 1);
                (searched, Number) = (0, Number + 1);
                if (!line.Span.Trim(" \t\r"u8).IsEmpty)
                {
                    return line;
                }

                continue;
            }

            if (_isAtEnd)
            {
                return null;
            }

            searched = _end - _start;
            MakeRoom();
            var read = await stream.ReadAsync(_buffer.AsMemory(_end), ct);
            _isAtEnd = read == 0;
            _end += read;
        }
    }

    public void Dispose()
    {
        var buffer = _buffer;
        _buffer = [];
        ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
    }

    private void MakeRoom()
    {
        if (_end < _buffer.Length && _start == 0)
        {
            return;
        }

        var length = _end - _start;
        if (length >= MaxLineBytes)
        {
            throw ApiException.TooLarge($"line {Number + 1} is longer than {MaxLineBytes} bytes");
        }

        var target = length > _buffer.Length / 2 ? ArrayPool<byte>.Shared.Rent(_buffer.Length * 2) : _buffer;
        _buffer.AsSpan(_start, length).CopyTo(target);
        if (target != _buffer)
        {
            ArrayPool<byte>.Shared.Return(_buffer, clearArray: true);
            _buffer = target;
        }

        (_start, _end) = (0, length);
    }
}
