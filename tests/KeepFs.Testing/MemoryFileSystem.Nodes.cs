using KeepFs.Engine.FileSystems;

namespace KeepFs.Testing;

public sealed partial class MemoryFileSystem
{
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
}
