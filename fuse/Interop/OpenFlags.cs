namespace KeepFs.Fuse.Interop;

/// <summary>Bits of open(2), rename(2) and st_mode as the kernel passes them on x86-64.</summary>
internal static class OpenFlags
{
    public const int AccessMask = 3;
    public const int WriteOnly = 1;
    public const int ReadWrite = 2;
    public const int Exclusive = 0x80;
    public const int Truncate = 0x200;
    public const int Append = 0x400;

    public const int PathOnly = 0x200000;
    public const int CloseOnExec = 0x80000;
    public const int DirectoryOnly = 0x10000;

    public const uint RenameNoReplace = 1;

    public const uint ModeTypeMask = 0xF000;
    public const uint ModeDirectory = 0x4000;
    public const uint ModeRegular = 0x8000;

    /// <summary>What an open with these flags may do; null for the access mode 3, which no file of ours has.</summary>
    public static FileAccess? ToAccess(int flags) => (flags & AccessMask) switch
    {
        0 => FileAccess.Read,
        WriteOnly => FileAccess.Write,
        ReadWrite => FileAccess.ReadWrite,
        _ => null,
    };
}
