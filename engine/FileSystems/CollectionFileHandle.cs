using KeepFs.Engine.Blocks;
using Microsoft.Win32.SafeHandles;

namespace KeepFs.Engine.FileSystems;

/// <summary>An open file of a collection; notices sequential reading and fetches ahead.</summary>
internal sealed class CollectionFileHandle(CollectionFile file, bool writes, SafeFileHandle? backing) : IFileHandle
{
    private long _nextOffset;
    private int _readAhead;
    private long _announcedUntil;
    private long _readBytes;
    private bool _closed;

    public SafeFileHandle? Backing => backing;

    public ValueTask<BlockLease> ReadAsync(long offset, int length, CancellationToken cancellationToken)
    {
        ReadAhead(offset, length);
        Interlocked.Add(ref _readBytes, length);
        return file.Owner.ReadAsync(file, offset, length, cancellationToken);
    }

    public async ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        if (!writes)
        {
            throw new FsException(FsError.NotPermitted, $"\"{file.Name}\" is not open for writing.");
        }

        await file.Owner.WriteAsync(file, offset, data, cancellationToken);
    }

    public ValueTask<long> ShareFromAsync(IFileHandle source, long sourceOffset, long offset, long length, CancellationToken cancellationToken) =>
        !writes ? throw new FsException(FsError.NotPermitted, $"\"{file.Name}\" is not open for writing.")
            : source is CollectionFileHandle other ? file.Owner.ShareAsync(other.File, sourceOffset, file, offset, length, cancellationToken)
            : throw new FsException(FsError.NotSupported, "Only files of collections can share their data.");

    private CollectionFile File => file;

    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        if (writes)
        {
            await file.Owner.CloseAsync(file, cancellationToken);
        }
    }

    public ValueTask DisposeAsync()
    {
        lock (file.Owner.Lock)
        {
            if (!_closed)
            {
                _closed = true;
                file.OpenCount--;
                file.WriterCount -= writes ? 1 : 0;
                file.ForgetIfUnreachable();
                if (writes && file.IsDirty)
                {
                    file.Owner.ScheduleSave();
                }
            }
        }

        backing?.Dispose();
        if (!writes && backing is null)
        {
            file.ReadBy(_readBytes);
        }

        return default;
    }

    /// <summary>
    /// Ramps from no block to the limit while reads follow each other. Races between overlapping reads only cost or save a prefetch.
    /// </summary>
    private void ReadAhead(long offset, int length)
    {
        // The kernel's own read-ahead sends neighbouring requests slightly out of order.
        var isSequential = Math.Abs(offset - _nextOffset) <= 8L << 20;
        _nextOffset = offset + length;
        if (!isSequential)
        {
            (_readAhead, _announcedUntil) = (0, 0);
            return;
        }

        if (_nextOffset > _announcedUntil)
        {
            _readAhead = Math.Min(_readAhead + 1, file.Owner.Services.Options.MaxReadAhead);
            _announcedUntil = _nextOffset + (4L << 20);
            file.Owner.Prefetch(file, offset, _readAhead);
        }
    }
}
