namespace KeepFs.Engine.FileSystems;

/// <summary>What a node is.</summary>
public enum NodeKind
{
    /// <summary>A regular file.</summary>
    File,

    /// <summary>A directory: of a collection, a project, or virtual.</summary>
    Directory,
}

/// <summary>Attributes of a node at one moment.</summary>
/// <param name="Kind">File or directory.</param>
/// <param name="SizeBytes">Length of a file; 0 for directories.</param>
/// <param name="ModifiedAt">Last change, as far as the catalogue or this process knows.</param>
/// <param name="IsWritable">The user may change it here.</param>
/// <param name="IsCacheable">
/// Nothing but announced changes (<see cref="IFileSystem.Changed"/>) alters it, so the kernel may keep attributes, entries and data.
/// False for generated files and directories whose entries appear by being asked for.
/// </param>
public readonly record struct NodeAttributes(NodeKind Kind, long SizeBytes, DateTimeOffset ModifiedAt, bool IsWritable, bool IsCacheable);
