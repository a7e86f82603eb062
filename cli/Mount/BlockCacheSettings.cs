using KeepFs.Cli.Settings;
using KeepFs.Engine.Client.DiskCache;

namespace KeepFs.Cli.Mount;

/// <summary>Where a mount keeps blocks that were read (mount.md section 1: <c>--disk-cache</c>, <c>--ram-cache</c>, <c>--file-cache</c>).</summary>
internal sealed record BlockCacheSettings
{
    private const long LeastBytes = 64L << 20;

    /// <summary>Without a disk cache, or in front of it: 512 MiB hold eight full blocks, enough for several sequential readers with read-ahead.</summary>
    private const long DefaultMemoryBytes = 512L << 20;

    /// <summary>Also on disk, where it survives restarts and is shared by mounts of one user.</summary>
    public bool IsOnDisk { get; init; } = true;

    /// <summary>Where on disk; null = <c>keep</c> below the Arvados cache directory.</summary>
    public string? Folder { get; init; }

    /// <summary>Size in bytes, on disk if that is used, else in memory; 0 = chosen by the program. Never below 64 MiB.</summary>
    public long Bytes { get; init; }

    /// <summary>Memory for blocks that are read.</summary>
    public long MemoryBytes => !IsOnDisk && Bytes > 0 ? Math.Max(Bytes, LeastBytes) : DefaultMemoryBytes;

    /// <summary>The disk cache, or null for none.</summary>
    public DiskCacheOptions? Disk => IsOnDisk ? SessionLimits.UserDisk(Folder, Bytes > 0 ? Math.Max(Bytes, LeastBytes) : 0) : null;
}
