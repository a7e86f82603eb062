using KeepFs.Engine.Blocks;
using KeepFs.Engine.FileSystems;
using Microsoft.Win32.SafeHandles;

namespace KeepFs.Testing;

public sealed partial class MemoryFileSystem
{
    private sealed class MemoryHandle(MemoryFile file, FileAccess access, SafeFileHandle? backing) : IFileHandle
    {
        private bool _isClosed;

        public SafeFileHandle? Backing => backing;

        public async ValueTask<BlockLease> ReadAsync(long offset, int length, CancellationToken cancellationToken)
        {
            await file.BeforeAsync(cancellationToken);
            ObjectDisposedException.ThrowIf(_isClosed, this);
            return BlockLease.Unowned(file.Read(offset, length));
        }

        public async ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
        {
            await file.BeforeAsync(cancellationToken);
            ObjectDisposedException.ThrowIf(_isClosed, this);
            if (!access.HasFlag(FileAccess.Write))
            {
                throw new FsException(FsError.NotPermitted, "Opened for reading only.");
            }

            file.Write(offset, data.Span);
        }

        public async ValueTask FlushAsync(CancellationToken cancellationToken)
        {
            await file.BeforeAsync(cancellationToken);
        }

        public ValueTask DisposeAsync()
        {
            if (!_isClosed)
            {
                _isClosed = true;
                backing?.Dispose();
                file.Closed();
            }

            return ValueTask.CompletedTask;
        }
    }
}
