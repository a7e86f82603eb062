using KeepFs.Engine.Manifests;

namespace KeepFs.WebDav.Downloads.Zip;

/// <summary>One entry of an archive: a file of the collection, or bytes of our own.</summary>
/// <param name="Name">UTF-8, relative, with slashes.</param>
/// <param name="File">The file; null when <paramref name="Data"/> is the content.</param>
/// <param name="Data">The content when there is no file.</param>
internal sealed record ZipEntry(byte[] Name, ManifestFile? File, byte[] Data)
{
    public long SizeBytes { get; } = File?.SizeBytes ?? Data.Length;

    /// <summary>Sizes and offsets beyond 32 bits need the records of Zip64.</summary>
    public bool IsLarge => SizeBytes >= uint.MaxValue;
}
