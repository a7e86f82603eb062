using KeepFs.Engine.Blocks;

namespace KeepFs.Catalog.Checkpoints.Rebuild;

/// <summary>The blocks of a part one after the other, each verified. Holds one in memory. For one thread at a time.</summary>
internal sealed class PartStream(VolumeBlocks blocks, IReadOnlyList<string> locators) : Stream
{
    private byte[] _memory = [];
    private ReadOnlyMemory<byte> _left;
    private int _next;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <exception cref="InvalidDataException">No volume has a good copy of a block.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_left.IsEmpty)
        {
            if (_next == locators.Count)
            {
                return 0;
            }

            var locator = Locator.Parse(locators[_next++]);
            if (_memory.Length < locator.SizeBytes)
            {
                _memory = new byte[locator.SizeBytes];
            }

            _left = await blocks.ReadAsync(locator.Hash, _memory.AsMemory(0, locator.SizeBytes), cancellationToken)
                ? _memory.AsMemory(0, locator.SizeBytes)
                : throw new InvalidDataException($"there is no good copy of its block {locator}");
        }

        var length = Math.Min(buffer.Length, _left.Length);
        _left[..length].CopyTo(buffer);
        _left = _left[length..];
        return length;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush()
    {
        // Nothing is written.
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Volumes are read asynchronously.");

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
