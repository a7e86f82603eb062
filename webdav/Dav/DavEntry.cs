using KeepFs.Engine.Manifests;

namespace KeepFs.WebDav.Dav;

/// <summary>One resource of a PROPFIND answer.</summary>
/// <param name="Href">Absolute path, encoded; ends with a slash for directories.</param>
/// <param name="Name">Shown name, empty for the root of the tree.</param>
/// <param name="File">Null for directories.</param>
/// <param name="ModifiedAt">Time of the last change; null = not known.</param>
/// <param name="CreatedAt">Null = not known.</param>
/// <param name="LockKey">Names the resource in the lock table; null for what cannot be locked.</param>
internal sealed record DavEntry(string Href, string Name, ManifestFile? File, DateTimeOffset? ModifiedAt, DateTimeOffset? CreatedAt, string? LockKey);
