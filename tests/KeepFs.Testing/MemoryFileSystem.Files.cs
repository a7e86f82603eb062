using System.Runtime.CompilerServices;
using KeepFs.Engine.FileSystems;
using Microsoft.Win32.SafeHandles;

namespace KeepFs.Testing;

public sealed partial class MemoryFileSystem
{
    private sealed class MemoryFile(MemoryFileSystem owner) : MemoryNode(owner), IFileNode
    {
        private const long MaxSizeBytes = 1L << 30;
        private byte[] _data = [];
        private int _size;
        private SafeFileHandle? _backing;

        public override async ValueTask<NodeAttributes> GetAttributesAsync(CancellationToken cancellationToken)
        {
            await Owner.BeforeAsync(cancellationToken);
            lock (Owner._lock)
            {
                return new NodeAttributes(NodeKind.File, _size, ModifiedAt, !Owner.OffersBacking, Owner.IsCacheable);
            }
        }

        public async ValueTask<IFileHandle> OpenAsync(FileAccess access, CancellationToken cancellationToken)
        {
            await Owner.BeforeAsync(cancellationToken);
            lock (Owner._lock)
            {
                Owner.OpenHandles++;
            }

            return new MemoryHandle(this, access, Owner.OffersBacking && access == FileAccess.Read ? Backing() : null);
        }

        public async ValueTask SetSizeAsync(long sizeBytes, CancellationToken cancellationToken)
        {
            await Owner.BeforeAsync(cancellationToken);
            lock (Owner._lock)
            {
                Resize(sizeBytes);
                Touch();
            }
        }

        public ValueTask BeforeAsync(CancellationToken cancellationToken, [CallerMemberName] string member = "") =>
            Owner.BeforeAsync(cancellationToken, member);

        public byte[] Read(long offset, int length)
        {
            lock (Owner._lock)
            {
                return offset >= _size ? [] : _data.AsSpan((int)offset, (int)Math.Min(length, _size - offset)).ToArray();
            }
        }

        public void Write(long offset, ReadOnlySpan<byte> bytes)
        {
            lock (Owner._lock)
            {
                if (bytes.IsEmpty)
                {
                    return;
                }

                if (offset + bytes.Length > _size)
                {
                    Resize(offset + bytes.Length);
                }

                bytes.CopyTo(_data.AsSpan((int)offset));
                DropBacking();
                Touch();
            }
        }

        public void Closed()
        {
            lock (Owner._lock)
            {
                Owner.OpenHandles--;
            }
        }

        private SafeFileHandle Backing()
        {
            lock (Owner._lock)
            {
                if (_backing is null)
                {
                    var path = Path.GetTempFileName();
                    _backing = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite);
                    File.Delete(path);
                    RandomAccess.Write(_backing, _data.AsSpan(0, _size), 0);
                }

                return File.OpenHandle($"/proc/self/fd/{_backing.DangerousGetHandle()}");
            }
        }

        private void Resize(long sizeBytes)
        {
            if (sizeBytes is < 0 or > MaxSizeBytes)
            {
                throw new FsException(FsError.TooLarge, "A file in memory ends at 1 GiB.");
            }

            if (sizeBytes > _data.Length)
            {
                Array.Resize(ref _data, (int)Math.Min(MaxSizeBytes, Math.Max(sizeBytes, _data.Length * 2L)));
            }

            if (sizeBytes < _size)
            {
                _data.AsSpan((int)sizeBytes, _size - (int)sizeBytes).Clear();
            }

            _size = (int)sizeBytes;
            DropBacking();
        }

        private void DropBacking()
        {
            // Who has it open keeps it.
            _backing?.Dispose();
            _backing = null;
        }
    }
}
