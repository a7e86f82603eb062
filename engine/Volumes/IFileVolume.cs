using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Volumes;

/// <summary>A volume whose copies are files of the local system, and so can tell cheaply whether one has changed.</summary>
public interface IFileVolume : IVolume
{
    /// <summary>What file holds the block now; null when there is none.</summary>
    ValueTask<FileIdentity?> IdentifyAsync(BlockHash hash, CancellationToken cancellationToken);

    /// <summary>As <see cref="IVolume.ReadAsync"/>, with the identity that the file had before it was read.</summary>
    ValueTask<(long SizeBytes, FileIdentity Identity)?> ReadIdentifiedAsync(BlockHash hash, Memory<byte> destination, CancellationToken cancellationToken);

    /// <summary>The copy as it is, for a reader who verifies it; null when there is none, or none that the kernel can move.</summary>
    /// <exception cref="KeepException">As <see cref="IVolume.ReadAsync"/>.</exception>
    ValueTask<BlockFile?> OpenAsync(BlockHash hash, CancellationToken cancellationToken);
}

/// <summary>Equal for two looks at a file exactly when nobody has written to it in between, within the resolution of the clock of its times.</summary>
public readonly record struct FileIdentity(ulong Device, ulong Inode, long SizeBytes, long MtimeNanoseconds, long CtimeNanoseconds);
