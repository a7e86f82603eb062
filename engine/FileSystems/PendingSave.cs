using KeepFs.Engine.Manifests;

namespace KeepFs.Engine.FileSystems;

/// <summary>
/// What one save takes out of the tree: a snapshot that stays as it is while the tree goes on, and what must be undone if the save fails.
/// </summary>
internal sealed class PendingSave
{
    /// <summary>Path to new content; null removes.</summary>
    public List<(string Path, PendingNode? Node)> Changes { get; } = [];

    /// <summary>Directories that were walked, with their path at that time.</summary>
    public List<(CollectionDirectory Directory, string Path)> Directories { get; } = [];

    /// <summary>Nodes that counted as new or moved.</summary>
    public List<CollectionNode> Placed { get; } = [];

    /// <summary>Files whose content was dirty.</summary>
    public List<PendingNode> Files { get; } = [];
}

/// <summary>A node of a <see cref="PendingSave"/>; becomes a <see cref="ManifestNode"/> once its bytes are stored.</summary>
internal sealed class PendingNode
{
    /// <summary>Content that is saved already, such as an untouched part of a moved directory.</summary>
    public ManifestNode? Ready { get; set; }

    public CollectionFile? File { get; init; }

    public Extent[]? Extents { get; init; }

    public List<(string Name, PendingNode Node)>? Children { get; init; }

    public ManifestNode Build()
    {
        if (Ready is null)
        {
            var directory = new ManifestDirectory();
            foreach (var (name, child) in Children!)
            {
                directory.Add(name, child.Build());
            }

            Ready = directory;
        }

        return Ready;
    }
}
