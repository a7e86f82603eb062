using KeepFs.Engine.Blocks;
using KeepFs.Engine.Manifests;
using Microsoft.Win32.SafeHandles;

namespace KeepFs.Engine.FileSystems;

/// <summary>A file of a collection.</summary>
internal sealed class CollectionFile : CollectionNode, IFileNode
{
    private FileContent? _content;
    private SegmentReader? _reader;

    public CollectionFile(CollectionFileSystem owner, CollectionDirectory parent, string name, ManifestFile stored)
        : base(owner, parent, name) => Stored = stored;

    /// <summary>What is saved of it; an empty file while nothing is.</summary>
    public ManifestFile Stored { get; private set; }

    /// <summary>It was written since the last save.</summary>
    public bool IsDirty { get; private set; }

    public long DirtySince { get; private set; }

    /// <summary>Descriptors; the memory of a removed file is kept until the last one is closed.</summary>
    public int OpenCount { get; set; }

    public int WriterCount { get; set; }

    public long SizeBytes => _content?.SizeBytes ?? Stored.SizeBytes;

    /// <summary>The extents; made from what is saved when first written.</summary>
    public FileContent Content => _content ??= new FileContent(Stored.Segments);

    public FileContent? ContentInMemory => _content;

    /// <summary>Reads what is saved; only valid while the file is not dirty.</summary>
    public SegmentReader Reader => _reader ??= new SegmentReader(Stored.Segments);

    public override ValueTask<NodeAttributes> GetAttributesAsync(CancellationToken cancellationToken)
    {
        lock (Owner.Lock)
        {
            return new(new NodeAttributes(NodeKind.File, SizeBytes, ChangedAt ?? Owner.ModifiedAt, Owner.IsWritable, IsCacheable: true));
        }
    }

    public ValueTask<IFileHandle> OpenAsync(FileAccess access, CancellationToken cancellationToken)
    {
        var writes = access.HasFlag(FileAccess.Write);
        lock (Owner.Lock)
        {
            if (writes)
            {
                Owner.CheckWritable(Path);
            }

            OpenCount++;
            WriterCount += writes ? 1 : 0;
        }

        return new(new CollectionFileHandle(this, writes, writes ? null : TryOpenBacking()));
    }

    /// <summary>A reader is done; who read all of it may want it again.</summary>
    public void ReadBy(long bytes)
    {
        if (bytes >= SizeBytes && Owner.Services.Store is IWholeFiles files && Pieces(files) is { } pieces)
        {
            files.PrepareWhole(pieces);
        }
    }

    /// <summary>
    /// Only where nobody can write: whoever reads through the descriptor would not see what another one writes to the open file.
    /// </summary>
    private SafeFileHandle? TryOpenBacking() => Owner.Services.Store is IWholeFiles files && Pieces(files) is { } pieces ? files.TryOpenWhole(pieces) : null;

    private BlockRange[]? Pieces(IWholeFiles files) =>
        Owner.IsWritable || Stored.SizeBytes < files.MinWholeBytes ? null : Array.ConvertAll(Stored.Segments, segment => new BlockRange(segment.Locator, segment.Offset, segment.Length));

    /// <summary>None while something is not saved.</summary>
    public ValueTask<IReadOnlyDictionary<string, string>> GetExtendedAttributesAsync(CancellationToken cancellationToken)
    {
        lock (Owner.Lock)
        {
            return new(IsDirty || _content is not null ? INode.EmptyAttributes : FileLocators.AttributesOf(Stored));
        }
    }

    public ValueTask SetSizeAsync(long sizeBytes, CancellationToken cancellationToken) => Owner.SetSizeAsync(this, sizeBytes, cancellationToken);

    /// <summary>Under the lock: the content as it would be saved, if all of it is on keepstores already.</summary>
    public ManifestFile? StoredContent()
    {
        var extents = _content?.Cover(0, long.MaxValue);
        return extents is null ? Stored
            : extents.TrueForAll(extent => extent.Stored is not null) ? new ManifestFile([.. extents.Select(extent => extent.Stored!.Value)])
            : null;
    }

    /// <summary>Under the lock: something was written.</summary>
    public void MarkDirty()
    {
        if (!IsDirty)
        {
            IsDirty = true;
            DirtySince = Owner.Services.Time.GetTimestamp();
        }

        ChangedAt = Owner.Services.Time.GetUtcNow();
        Owner.WithMemory.Add(this);
        if (Parent is not null)
        {
            Parent.MarkDirtyBelow();

            // Also while the file stays open: its age decides when the background save takes it.
            Owner.ScheduleSave();
        }
    }

    /// <summary>Under the lock: a save took its snapshot; what is written from now on is for the next one.</summary>
    public void MarkTaken() => IsDirty = false;

    /// <summary>Under the lock: this content is saved. Keeps what was written since then.</summary>
    public void SetStored(ManifestFile stored)
    {
        Stored = stored;
        _reader = null;
        if (!IsDirty)
        {
            Forget();
        }
    }

    private void Forget()
    {
        _content?.Clear();
        _content = null;
        Owner.WithMemory.Remove(this);
    }

    /// <summary>Under the lock: nobody can reach the bytes any more.</summary>
    public void ForgetIfUnreachable()
    {
        if (IsRemoved && OpenCount == 0)
        {
            Forget();
        }
    }
}
