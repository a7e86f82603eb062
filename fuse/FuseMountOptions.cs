using KeepFs.Fuse.Takeover;

namespace KeepFs.Fuse;

/// <summary>How and where to mount.</summary>
public sealed record FuseMountOptions
{
    /// <summary>An empty directory.</summary>
    public required string MountPoint { get; init; }

    /// <summary>The directory is created if it is missing, after a dead mount at that place is gone.</summary>
    public bool CreatesMountPoint { get; init; }

    /// <summary>The kernel refuses every change with EROFS before it reaches the tree.</summary>
    public bool IsReadOnly { get; init; }

    /// <summary>Lets other users in, with the access of the one who mounted; needs root or <c>user_allow_other</c> in /etc/fuse.conf.</summary>
    public bool AllowOther { get; init; }

    /// <summary>
    /// A mount at the same place whose process is gone (every access fails with ENOTCONN) is taken away first, instead of being an error. Only ever
    /// a dead one: a mount that answers stays.
    /// </summary>
    public bool ReplacesDeadMount { get; init; }

    /// <summary>A mount that another process keeps, to be served instead of mounting; <see cref="MountPoint"/> and access then are as it has them.</summary>
    public HeldMount? Held { get; init; }

    /// <summary>The first column of /proc/mounts.</summary>
    public string FsName { get; init; } = "keepfs";

    /// <summary>The file system type becomes <c>fuse.SUBTYPE</c>.</summary>
    public string Subtype { get; init; } = "keepfs";

    /// <summary>
    /// Most threads that read requests. A request does not keep its thread while it waits, so this bounds parsing and copying, not the
    /// number of requests under way.
    /// </summary>
    public int MaxThreads { get; init; } = 10;

    /// <summary>
    /// Most read-ahead and asynchronous requests that the kernel has under way at once: 64 of 1 MiB keep a 64 MiB block in flight.
    /// </summary>
    public int MaxBackgroundRequests { get; init; } = 64;

    /// <summary>Read-ahead of the kernel per open file; 1 MiB is what measured best, and what one request can carry.</summary>
    public int ReadAheadKib { get; init; } = 1024;

    /// <summary>
    /// How long the kernel may keep attributes and names of cacheable nodes. Long, because changes are announced
    /// (<see cref="KeepFs.Engine.FileSystems.IFileSystem.Changed"/>); the end is a safety net for an announcement that got lost.
    /// </summary>
    public TimeSpan CacheTimeout { get; init; } = TimeSpan.FromHours(1);

    /// <summary>
    /// How long the kernel may believe a name that it found in a directory that is not cacheable (a project, by_id): every path through it would ask again
    /// for each step otherwise. Short beside the refresh time that such a directory has anyway.
    /// </summary>
    public TimeSpan UncachedEntryTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// While the kernel knows fewer nodes than this, a listing tells it everything about each entry, so that ls -l asks nothing more; beyond, only what is
    /// asked for by name: a walk over millions of files is to take memory neither here nor in the kernel for each of them.
    /// </summary>
    public int EagerNodes { get; init; } = 200_000;

    /// <summary>
    /// Copies of written data that wait for the tree to take them, each counted as the 1 MiB that the kernel sends at most; more wait.
    /// </summary>
    public int MaxPendingWriteBytes { get; init; } = 128 << 20;

    /// <summary>
    /// Announced changes that wait to be told to the kernel; when more come, everything that the kernel knows is invalidated instead.
    /// </summary>
    public int MaxPendingInvalidations { get; init; } = 16384;

    /// <summary>How long an unmount waits for programs that still use the mount before it cuts them off.</summary>
    public TimeSpan UnmountTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Counts what happens; hand in an instance to read it.</summary>
    public FuseCounters Counters { get; init; } = new();

    /// <summary>Where the time of <see cref="UnmountTimeout"/> comes from.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}
