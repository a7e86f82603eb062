using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Client.DiskCache;

/// <summary>Where a <see cref="BlockCacheDirectory"/> is and what it may take.</summary>
public sealed record DiskCacheOptions
{
    /// <summary>The directory; created with mode 0700. Several processes of one user share it.</summary>
    public required string Path { get; init; }

    /// <summary>
    /// Bytes of blocks and whole files kept; 0 = what mount.md section 1 says: a tenth of the file system, but at most a quarter of what is free or
    /// cached already. Never less than one block.
    /// </summary>
    public long CapacityBytes { get; init; }

    /// <summary>
    /// What was written since the machine started is known to be what was verified; older files may have lost bytes in a crash and are
    /// verified again. The kernel's boot id.
    /// </summary>
    public required string BootId { get; init; }

    /// <summary>Descriptors kept open for reading; a fraction of the usual limit of 1024.</summary>
    public int MaxOpenFiles { get; init; } = 256;

    /// <summary>Fetched blocks that wait to be written; each holds its memory, and when the disk cannot keep up further ones are not cached.</summary>
    public int MaxQueuedWrites { get; init; } = 2;

    /// <summary>Smaller files are read through the blocks: a direct descriptor costs more than it saves.</summary>
    public long MinWholeFileBytes { get; init; } = 1 << 20;

    /// <summary>Pieces a whole file may have; more make its name costly to compute at each open.</summary>
    public int MaxWholeFilePieces { get; init; } = 4096;

    /// <summary>How often the use of a file is written down, for choosing what goes first.</summary>
    public TimeSpan TouchInterval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>After a failed write (disk full, gone) nothing is cached for this time.</summary>
    public TimeSpan PauseAfterFailure { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The boot id of this machine, or one of its own for this process where the kernel does not tell.</summary>
    public static string CurrentBootId() =>
        File.Exists("/proc/sys/kernel/random/boot_id") ? File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim() : Guid.NewGuid().ToString();

    internal long CapacityFor(long cachedBytes)
    {
        if (CapacityBytes > 0)
        {
            return Math.Max(CapacityBytes, Locator.MaxBlockSizeBytes);
        }

        var drive = new DriveInfo(Path);
        return Math.Max(Math.Min(drive.TotalSize / 10, (drive.AvailableFreeSpace + cachedBytes) / 4), Locator.MaxBlockSizeBytes);
    }
}
