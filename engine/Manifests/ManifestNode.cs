namespace KeepFs.Engine.Manifests;

/// <summary>A file or directory of a <see cref="ManifestTree"/>.</summary>
public abstract class ManifestNode
{
    /// <summary>A node that can be placed elsewhere; changes to either do not show in the other. Cheap for what was never changed.</summary>
    public abstract ManifestNode Clone();

    /// <summary>Same kind and same content; signatures and other hints do not count.</summary>
    public bool IsSameAs(ManifestNode? other) => (this, other) switch
    {
        (ManifestFile a, ManifestFile b) => a.HasSameContentAs(b),
        (ManifestDirectory a, ManifestDirectory b) => a.HasSameContentAs(b),
        _ => false,
    };
}

/// <summary>A file: immutable.</summary>
public sealed class ManifestFile : ManifestNode
{
    private readonly ManifestIndex? _index;
    private readonly int _file;
    private readonly ManifestSegment[]? _segments;

    /// <summary>A file of a parsed manifest.</summary>
    internal ManifestFile(ManifestIndex index, int file)
    {
        _index = index;
        _file = file;
        SizeBytes = index.FileSize(file);
    }

    /// <summary>A file with the given data; the array must not change.</summary>
    public ManifestFile(ManifestSegment[] segments)
    {
        _segments = segments;
        SizeBytes = segments.Sum(segment => (long)segment.Length);
    }

    /// <summary>Size in bytes.</summary>
    public long SizeBytes { get; }

    /// <summary>The data in order.</summary>
    public ManifestSegment[] Segments => _segments ?? _index!.SegmentsOf(_file);

    /// <summary>Same bytes from the same places; signatures and other hints do not count.</summary>
    public bool HasSameContentAs(ManifestFile other)
    {
        if (SizeBytes != other.SizeBytes)
        {
            return false;
        }

        var (mine, theirs) = (Segments, other.Segments);
        return mine.Length == theirs.Length && !mine.Where((segment, i) =>
            segment.Locator.Hash != theirs[i].Locator.Hash || segment.Offset != theirs[i].Offset || segment.Length != theirs[i].Length).Any();
    }

    /// <inheritdoc/>
    public override ManifestNode Clone() => this;
}
