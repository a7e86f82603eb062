using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.FileSystems;
using KeepFs.Engine.Manifests;
using Microsoft.Win32.SafeHandles;

namespace KeepFs.Testing;

/// <summary>
/// A file system in memory that does what the seam documents and nothing else: the reference that <see cref="FileSystemContract"/> is
/// checked against, and what fronts are tested with. One lock around the whole tree; nothing waits but <see cref="Before"/>.
/// </summary>
public sealed class MemoryFileSystem : IFileSystem
{
    private readonly Lock _lock = new();
    private readonly ConcurrentDictionary<string, int> _calls = new();
    private readonly TimeProvider _time;
    private ulong _lastId;

    /// <summary>Creates an empty tree.</summary>
    public MemoryFileSystem(TimeProvider time)
    {
        _time = time;
        Root = new MemoryDirectory(this);
    }

    /// <inheritdoc/>
    public event Action<NodeChange>? Changed;

    /// <inheritdoc/>
    public IDirectoryNode Root { get; }

    /// <summary>What the nodes say of <see cref="NodeAttributes.IsCacheable"/>.</summary>
    public bool IsCacheable { get; init; } = true;

    /// <summary>Files cannot be written through a front, and handles opened for reading offer a local file with the bytes.</summary>
    public bool OffersBacking { get; init; }

    /// <summary>Extended attributes of every node.</summary>
    public IReadOnlyDictionary<string, string> ExtendedAttributes { get; init; } = new Dictionary<string, string>();

    /// <summary>Awaited before each call of a node or handle, with the name of the member: tests delay, block or fail here.</summary>
    public Func<string, CancellationToken, ValueTask>? Before { get; set; }

    /// <summary>Handles that are open now; zero at the end of each test.</summary>
    public int OpenHandles { get; private set; }

    /// <summary>Calls of <see cref="INode.SyncAsync"/> so far.</summary>
    public int Syncs { get; private set; }

    /// <summary>Says that something changed behind a front's back; tests call it after they changed it directly.</summary>
    public void Announce(NodeChange change) => Changed?.Invoke(change);

    /// <summary>How often a member of a node or handle was called so far.</summary>
    public int CallsOf(string member) => _calls.GetValueOrDefault(member);

    /// <inheritdoc/>
    public ValueTask<FileSystemTotals> GetTotalsAsync(CancellationToken cancellationToken) => new(new FileSystemTotals(1L << 40, 1L << 39));

    /// <inheritdoc/>
    public ValueTask SyncAllAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private ValueTask BeforeAsync(CancellationToken cancellationToken, [CallerMemberName] string member = "")
    {
        _calls.AddOrUpdate(member, 1, static (_, count) => count + 1);
        return Before?.Invoke(member, cancellationToken) ?? ValueTask.CompletedTask;
    }

    private abstract class MemoryNode : INode
    {
        protected MemoryNode(MemoryFileSystem owner)
        {
            Owner = owner;
            Id = Interlocked.Increment(ref owner._lastId);
            ModifiedAt = owner._time.GetUtcNow();
        }

        public ulong Id { get; }

        public MemoryDirectory? Parent { get; set; }

        protected MemoryFileSystem Owner { get; }

        protected DateTimeOffset ModifiedAt { get; private set; }

        public abstract ValueTask<NodeAttributes> GetAttributesAsync(CancellationToken cancellationToken);

        public async ValueTask SyncAsync(CancellationToken cancellationToken)
        {
            await Owner.BeforeAsync(cancellationToken);
            lock (Owner._lock)
            {
                Owner.Syncs++;
            }
        }

        public async ValueTask<IReadOnlyDictionary<string, string>> GetExtendedAttributesAsync(CancellationToken cancellationToken)
        {
            await Owner.BeforeAsync(cancellationToken);
            return Owner.ExtendedAttributes;
        }

        protected void Touch() => ModifiedAt = Owner._time.GetUtcNow();
    }

    private sealed class MemoryDirectory(MemoryFileSystem owner) : MemoryNode(owner), IDirectoryNode
    {
        private readonly SortedDictionary<string, MemoryNode> _entries = new(Utf8Order.Instance);
        private ImmutableArray<DirectoryEntry>? _listing;
        private bool _isRemoved;

        public override async ValueTask<NodeAttributes> GetAttributesAsync(CancellationToken cancellationToken)
        {
            await Owner.BeforeAsync(cancellationToken);
            lock (Owner._lock)
            {
                return new NodeAttributes(NodeKind.Directory, 0, ModifiedAt, IsWritable: true, Owner.IsCacheable);
            }
        }

        public async ValueTask<INode?> LookupAsync(string name, CancellationToken cancellationToken)
        {
            await Owner.BeforeAsync(cancellationToken);
            FileNames.Check(name);
            lock (Owner._lock)
            {
                return _entries.GetValueOrDefault(name);
            }
        }

        public async ValueTask<IReadOnlyList<DirectoryEntry>> ListAsync(CancellationToken cancellationToken)
        {
            await Owner.BeforeAsync(cancellationToken);
            lock (Owner._lock)
            {
                _listing ??= [.. _entries.Select(entry => new DirectoryEntry(entry.Key, KindOf(entry.Value), entry.Value.Id))];
                return _listing;
            }
        }

        public async ValueTask<IFileNode> CreateFileAsync(string name, CancellationToken cancellationToken)
        {
            await Owner.BeforeAsync(cancellationToken);
            var file = new MemoryFile(Owner);
            Add(name, file);
            return file;
        }

        public async ValueTask<IDirectoryNode> CreateDirectoryAsync(string name, CancellationToken cancellationToken)
        {
            await Owner.BeforeAsync(cancellationToken);
            var directory = new MemoryDirectory(Owner);
            Add(name, directory);
            return directory;
        }

        public async ValueTask RemoveAsync(string name, NodeKind kind, CancellationToken cancellationToken)
        {
            await Owner.BeforeAsync(cancellationToken);
            FileNames.Check(name);
            lock (Owner._lock)
            {
                var node = Existing(name);
                if (KindOf(node) != kind)
                {
                    throw kind == NodeKind.File
                        ? new FsException(FsError.IsADirectory, $"\"{name}\" is a directory.")
                        : new FsException(FsError.NotADirectory, $"\"{name}\" is a file.");
                }

                (node as MemoryDirectory)?.MarkRemoved(name);
                Detach(name);
            }
        }

        public async ValueTask RenameAsync(
            string name, IDirectoryNode target, string targetName, bool mayReplace, CancellationToken cancellationToken)
        {
            await Owner.BeforeAsync(cancellationToken);
            FileNames.Check(name);
            FileNames.Check(targetName);
            lock (Owner._lock)
            {
                Rename(name, (MemoryDirectory)target, targetName, mayReplace);
            }
        }

        private static NodeKind KindOf(MemoryNode node) => node is MemoryFile ? NodeKind.File : NodeKind.Directory;

        private void Rename(string name, MemoryDirectory target, string targetName, bool mayReplace)
        {
            var node = Existing(name);
            target.ThrowIfRemoved();
            if (node is MemoryDirectory moved && target.IsAtOrBelow(moved))
            {
                throw new FsException(FsError.InvalidArgument, $"\"{name}\" cannot move into itself.");
            }

            if (target._entries.TryGetValue(targetName, out var replaced))
            {
                if (!mayReplace)
                {
                    throw new FsException(FsError.AlreadyExists, $"\"{targetName}\" exists.");
                }

                if (ReferenceEquals(replaced, node))
                {
                    return;
                }

                switch (node, replaced)
                {
                    case (MemoryFile, MemoryDirectory):
                        throw new FsException(FsError.IsADirectory, $"\"{targetName}\" is a directory.");
                    case (MemoryDirectory, MemoryFile):
                        throw new FsException(FsError.NotADirectory, $"\"{targetName}\" is a file.");
                    case (MemoryDirectory, MemoryDirectory empty):
                        empty.MarkRemoved(targetName);
                        break;
                }

                target.Detach(targetName);
            }

            Detach(name);
            target.Attach(targetName, node);
        }

        private bool IsAtOrBelow(MemoryDirectory other)
        {
            for (var at = this; at is not null; at = at.Parent)
            {
                if (ReferenceEquals(at, other))
                {
                    return true;
                }
            }

            return false;
        }

        private void Add(string name, MemoryNode node)
        {
            FileNames.Check(name);
            lock (Owner._lock)
            {
                ThrowIfRemoved();
                if (_entries.ContainsKey(name))
                {
                    throw new FsException(FsError.AlreadyExists, $"\"{name}\" exists.");
                }

                Attach(name, node);
            }
        }

        private MemoryNode Existing(string name) =>
            _entries.GetValueOrDefault(name) ?? throw new FsException(FsError.NotFound, $"\"{name}\" does not exist.");

        private void Attach(string name, MemoryNode node)
        {
            _entries.Add(name, node);
            node.Parent = this;
            _listing = null;
            Touch();
        }

        private void Detach(string name)
        {
            _entries.Remove(name);
            _listing = null;
            Touch();
        }

        private void MarkRemoved(string name)
        {
            if (_entries.Count > 0)
            {
                throw new FsException(FsError.NotEmpty, $"\"{name}\" is not empty.");
            }

            _isRemoved = true;
        }

        private void ThrowIfRemoved()
        {
            if (_isRemoved)
            {
                throw new FsException(FsError.NotFound, "The directory was removed.");
            }
        }
    }

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
