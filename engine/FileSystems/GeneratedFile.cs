using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.FileSystems;

/// <summary>
/// A file whose content is made when it is opened (mount.md section 3): read-only, never cached by the kernel, and its size is only known once it
/// was read.
/// </summary>
internal sealed class GeneratedFile(SiteFileSystem site, Func<CancellationToken, ValueTask<ReadOnlyMemory<byte>>> generate) : IFileNode
{
    private long _sizeBytes;

    public ulong Id { get; } = site.Services.Ids.Next();

    public static GeneratedFile OfText(SiteFileSystem site, ReadOnlyMemory<byte> text) => new(site, _ => new(text)) { _sizeBytes = text.Length };

    public ValueTask<NodeAttributes> GetAttributesAsync(CancellationToken cancellationToken) =>
        new(new NodeAttributes(NodeKind.File, Volatile.Read(ref _sizeBytes), site.StartedAt, IsWritable: false, IsCacheable: false));

    public ValueTask SyncAsync(CancellationToken cancellationToken) => default;

    public async ValueTask<IFileHandle> OpenAsync(FileAccess access, CancellationToken cancellationToken)
    {
        if (access.HasFlag(FileAccess.Write))
        {
            throw Refused();
        }

        var content = await generate(cancellationToken);
        Volatile.Write(ref _sizeBytes, content.Length);
        return new Handle(content);
    }

    public ValueTask SetSizeAsync(long sizeBytes, CancellationToken cancellationToken) => throw Refused();

    private FsException Refused() =>
        new(site.Options.IsReadOnly ? FsError.ReadOnly : FsError.NotPermitted, "This file is made by the mount and cannot be written.");

    private sealed class Handle(ReadOnlyMemory<byte> content) : IFileHandle
    {
        public ValueTask<BlockLease> ReadAsync(long offset, int length, CancellationToken cancellationToken)
        {
            var start = (int)Math.Min(offset, content.Length);
            return new(BlockLease.Unowned(content.Slice(start, Math.Min(length, content.Length - start))));
        }

        public ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> data, CancellationToken cancellationToken) =>
            throw new FsException(FsError.NotPermitted, "This file is made by the mount and cannot be written.");

        public ValueTask FlushAsync(CancellationToken cancellationToken) => default;

        public ValueTask DisposeAsync() => default;
    }
}
