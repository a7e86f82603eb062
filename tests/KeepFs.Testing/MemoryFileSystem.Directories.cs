using System.Collections.Immutable;
using KeepFs.Engine.FileSystems;
using KeepFs.Engine.Manifests;

namespace KeepFs.Testing;

public sealed partial class MemoryFileSystem
{
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
                _listing ??= [.. _entries.Select(entry => new DirectoryEntry(entry.Key, KindOf(entry.Value), Owner.HidesIds ? 0 : entry.Value.Id))];
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
}
