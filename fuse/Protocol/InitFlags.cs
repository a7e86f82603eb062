namespace KeepFs.Fuse.Protocol;

/// <summary>Capabilities that INIT agrees on; bits above 31 travel in flags2.</summary>
[Flags]
internal enum InitFlags : ulong
{
    None = 0,
    AsyncRead = 1UL << 0,
    AtomicTruncate = 1UL << 3,
    BigWrites = 1UL << 5,
    AutoInvalidateData = 1UL << 12,
    ReaddirPlus = 1UL << 13,
    AsyncDirectIo = 1UL << 15,
    ParallelDirectoryOperations = 1UL << 18,
    MaxPages = 1UL << 22,
    ExplicitInvalidateData = 1UL << 25,
    HandleKillPrivilegesV2 = 1UL << 28,
    InitExtended = 1UL << 30,
    Passthrough = 1UL << 37,
    HasResend = 1UL << 39,
}

/// <summary>Bits of an answer to OPEN, OPENDIR and CREATE (FOPEN_*).</summary>
[Flags]
internal enum OpenReplyFlags : uint
{
    None = 0,
    DirectIo = 1 << 0,
    KeepCache = 1 << 1,
    CacheDirectory = 1 << 3,
    Passthrough = 1 << 7,
}
