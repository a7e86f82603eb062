using KeepFs.Engine.Blocks;
using KeepFs.Engine.Mounts;
using Microsoft.Extensions.Logging;

namespace KeepFs.KeepstoreHost;

/// <summary>Log lines of the keepstore; ids 1000-1099.</summary>
internal sealed partial class KeepstoreLog(ILogger logger) : IKeepstoreEvents
{
    private readonly ILogger _logger = logger;

    [LoggerMessage(1001, LogLevel.Error, "Corrupt copy of {Hash} on {MountUuid}: {Reason}")]
    public partial void CorruptCopy(BlockHash hash, string mountUuid, string reason);

    [LoggerMessage(1002, LogLevel.Warning, "Repaired the copy of {Hash} on {MountUuid}")]
    public partial void RepairedCopy(BlockHash hash, string mountUuid);

    public void FailedRead(BlockHash hash, string mountUuid, Exception failure) => LogFailedRead(hash, mountUuid, Describe(failure));

    [LoggerMessage(1003, LogLevel.Warning, "Cannot read {Hash} from {MountUuid}: {Reason}")]
    private partial void LogFailedRead(BlockHash hash, string mountUuid, string reason);

    public void FailedWrite(BlockHash hash, string mountUuid, Exception failure) => LogFailedWrite(hash, mountUuid, Describe(failure));

    [LoggerMessage(1004, LogLevel.Warning, "Cannot write {Hash} to {MountUuid}: {Reason}")]
    private partial void LogFailedWrite(BlockHash hash, string mountUuid, string reason);

    [LoggerMessage(1005, LogLevel.Debug, "Kept {Hash} on '{MountUuid}' although a trash list names it: {Reason}")]
    public partial void KeptListedBlock(BlockHash hash, string mountUuid, string reason);

    [LoggerMessage(1006, LogLevel.Information, "Trashed {Hash} on {MountUuid}")]
    public partial void TrashedListedBlock(BlockHash hash, string mountUuid);

    public void FailedTrash(BlockHash hash, string mountUuid, Exception failure) => LogFailedTrash(hash, mountUuid, Describe(failure));

    [LoggerMessage(1007, LogLevel.Warning, "Cannot trash {Hash} on {MountUuid}: {Reason}")]
    private partial void LogFailedTrash(BlockHash hash, string mountUuid, string reason);

    [LoggerMessage(1008, LogLevel.Information, "Pulled {Hash} to {MountUuid}")]
    public partial void PulledBlock(BlockHash hash, string mountUuid);

    public void FailedPull(BlockHash hash, string mountUuid, Exception failure) => LogFailedPull(hash, mountUuid, Describe(failure));

    [LoggerMessage(1009, LogLevel.Warning, "Cannot pull {Hash} to '{MountUuid}': {Reason}")]
    private partial void LogFailedPull(BlockHash hash, string mountUuid, string reason);

    /// <summary>Trouble that was foreseen says enough in its message; a lost disk would bury the log in stack traces.</summary>
    private static string Describe(Exception failure) => failure is KeepException ? failure.Message : failure.ToString();
}
