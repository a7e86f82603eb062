using System.Text;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Manifests;

namespace KeepFs.Catalog.Collections;

/// <summary>A checked manifest in the form in which it is stored, with all that is computed from it (catalog-api.md 4.5). Immutable.</summary>
internal sealed class CollectionContent
{
    // Enough to find any file of an ordinary collection by name; a list of a million names would double the database.
    private const int MaxFileNamesBytes = 256 * 1024;

    private CollectionContent(byte[] stored, ManifestIndex index)
    {
        Stored = stored;
        PortableDataHash = Engine.Manifests.PortableDataHash.Compute(stored);
        FileCount = index.FileCount;
        TotalBytes = index.TotalBytes;
        FileNames = CollectNames(index);
    }

    /// <summary>The manifest without signatures.</summary>
    public byte[] Stored { get; }

    public string PortableDataHash { get; }

    public long FileCount { get; }

    public long TotalBytes { get; }

    /// <summary>Distinct file names and directory paths, one a line; what fits into the limit.</summary>
    public string FileNames { get; }

    /// <summary>Checks and strips a manifest; 422 when it is not valid or nobody could read it.</summary>
    public static CollectionContent Of(ReadOnlySpan<byte> manifest)
    {
        if (ManifestValidator.Validate(manifest) is { } fault)
        {
            throw ApiException.Invalid(fault);
        }

        var stored = ManifestSigner.Strip(manifest);
        try
        {
            return new CollectionContent(stored, ManifestIndex.Parse(stored));
        }
        catch (ManifestException e)
        {
            // Segments beyond their stream, a path that is both file and directory: the validator passes them, no reader does.
            throw ApiException.Invalid(e.Message.StartsWith("Manifest invalid", StringComparison.Ordinal) ? e.Message : $"Manifest invalid: {e.Message}");
        }
    }

    /// <summary>Throws 403 unless the token may use every block of the manifest.</summary>
    public static void RequireSignatures(ReadOnlySpan<byte> manifest, LocatorSigner signer, string token, DateTimeOffset now, bool blobSigning)
    {
        var check = ManifestSigner.Verify(manifest, signer, token, now, allowUnsigned: !blobSigning, out var locator);
        if (check != SignatureCheck.Valid)
        {
            throw ApiException.Forbidden($"Permission denied: signature {check.ToString().ToLowerInvariant()} on locator {WithoutSignature(locator)}");
        }
    }

    // A signature is a credential: messages and logs show the block only.
    private static string? WithoutSignature(string? locator) => locator is null ? null : LocatorSyntax.StripSignatures(locator);

    private static string CollectNames(ManifestIndex index)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var names = new StringBuilder();
        Collect(index, ManifestIndex.Root, "", seen, names);
        return names.ToString();
    }

    private static void Collect(ManifestIndex index, int directory, string path, HashSet<string> seen, StringBuilder names)
    {
        var (first, count) = index.FilesOf(directory);
        for (var file = first; file < first + count && names.Length < MaxFileNamesBytes; file++)
        {
            Add(index.FileNameText(file), seen, names);
        }

        foreach (var child in index.DirectoriesOf(directory))
        {
            if (names.Length >= MaxFileNamesBytes)
            {
                return;
            }

            var childPath = path.Length == 0 ? index.DirectoryNameText(child) : $"{path}/{index.DirectoryNameText(child)}";
            Add(childPath, seen, names);
            Collect(index, child, childPath, seen, names);
        }
    }

    private static void Add(string name, HashSet<string> seen, StringBuilder names)
    {
        if (seen.Add(name))
        {
            names.Append(names.Length == 0 ? "" : "\n").Append(name);
        }
    }
}
