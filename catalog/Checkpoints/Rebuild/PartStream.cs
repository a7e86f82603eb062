using KeepFs.Engine.Blocks;
using KeepFs.Hosting.Http;

namespace KeepFs.Catalog.Checkpoints.Rebuild;

/// <summary>The blocks of a part one after the other, each verified. Holds one in memory. For one thread at a time.</summary>
internal sealed class PartStream(VolumeBlocks blocks, IReadOnlyList<string> locators) : ForwardStream
{
    private byte[] _memory = [];
    private ReadOnlyMemory<byte> _left;
    private int _next;

    public override bool CanRead => true;

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
}
