using KeepFs.Engine.Manifests;

namespace KeepFs.Cli.Diff;

/// <summary>A file, or an empty directory, of one side.</summary>
/// <param name="Path">Path on that side; of a directory without a slash at its end.</param>
/// <param name="SizeBytes">Length of a file; -1 for a directory.</param>
/// <param name="Stored">The file in a manifest, or null.</param>
/// <param name="LocalPath">The file on disk, or null.</param>
internal sealed record DiffEntry(string Path, long SizeBytes, ManifestFile? Stored, string? LocalPath)
{
    public bool IsDirectory => SizeBytes < 0;
}
