using System.Globalization;
using System.Text;
using KeepFs.Engine.Manifests;

namespace KeepFs.Engine.FileSystems;

/// <summary>Extended attributes of a file of a collection: where its saved bytes lie.</summary>
internal static class FileLocators
{
    /// <summary>What the kernel takes as one attribute (XATTR_SIZE_MAX); the locators of a longer file are in <c>.arvados#collection</c>.</summary>
    private const int MaxBytes = 65536;

    /// <summary><c>user.keepfs.locators</c>: <c>HASH+SIZE OFFSET LENGTH</c> for each piece in order, one a line; absent when it would be too long.</summary>
    public static IReadOnlyDictionary<string, string> AttributesOf(ManifestFile file)
    {
        var text = new StringBuilder();
        foreach (var piece in file.Segments)
        {
            text.Append(CultureInfo.InvariantCulture, $"{piece.Locator.Hash}+{piece.Locator.SizeBytes} {piece.Offset} {piece.Length}\n");
            if (text.Length > MaxBytes)
            {
                return new Dictionary<string, string>();
            }
        }

        return new Dictionary<string, string>(StringComparer.Ordinal) { ["user.keepfs.locators"] = text.ToString() };
    }
}
