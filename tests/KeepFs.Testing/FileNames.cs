using System.Text;
using KeepFs.Engine.FileSystems;

namespace KeepFs.Testing;

/// <summary>The rules of the seam for names.</summary>
public static class FileNames
{
    /// <summary>Bytes of UTF-8 that a name may have.</summary>
    public const int MaxBytes = 255;

    /// <summary>Throws what the seam documents for a name that is not possible.</summary>
    public static void Check(string name)
    {
        if (name is "" or "." or ".." || name.Contains('/', StringComparison.Ordinal) || name.Contains('\0', StringComparison.Ordinal))
        {
            throw new FsException(FsError.InvalidArgument, $"\"{name}\" is not a possible name.");
        }

        if (Encoding.UTF8.GetByteCount(name) > MaxBytes)
        {
            throw new FsException(FsError.NameTooLong, $"\"{name}\" is longer than {MaxBytes} bytes.");
        }
    }
}
