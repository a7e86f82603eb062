using KeepFs.Engine.Manifests;

namespace KeepFs.WebDav.Dav;

/// <summary>One resource of a PROPFIND answer.</summary>
/// <param name="Href">Absolute path, encoded; ends with a slash for directories.</param>
/// <param name="Name">Shown name, empty for the root of the tree.</param>
/// <param name="File">Null for directories.</param>
/// <param name="ModifiedAt">Time of the last change; null = not known.</param>
/// <param name="CreatedAt">Null = not known.</param>
internal readonly record struct DavEntry(string Href, string Name, ManifestFile? File, DateTimeOffset? ModifiedAt, DateTimeOffset? CreatedAt)
{
    /// <summary>The collection whose locks and properties it has; "" for what can have neither.</summary>
    public string Uuid { get; init; } = "";

    /// <summary>Inside that collection.</summary>
    public string Path { get; init; } = "";

    /// <summary>What a directory holds: its whole collection or project; null when that is not known.</summary>
    public long? UsedBytes { get; init; }
}
