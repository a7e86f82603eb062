using KeepFs.Engine.Blocks;
using KeepFs.Engine.Mounts;
using Microsoft.Extensions.Logging;

namespace KeepFs.KeepstoreHost;

/// <summary>Log lines of the scrubber; ids 1040-1049.</summary>
internal sealed partial class ScrubLog(ILogger logger) : IScrubEvents
{
    private readonly ILogger _logger = logger;

    public void FoundCorrupt(BlockHash hash, string mountUuid, bool isQuarantined) =>
        LogCorrupt(hash, mountUuid, isQuarantined ? "put aside in the quarantine" : "left where it is");

    public void Failed(string mountUuid, Exception failure) => LogFailed(mountUuid, failure.Message);

    [LoggerMessage(1040, LogLevel.Error, "Scrub: corrupt copy of {Hash} on {MountUuid}, {What}")]
    private partial void LogCorrupt(BlockHash hash, string mountUuid, string what);

    [LoggerMessage(1041, LogLevel.Warning, "Scrub: healed {Hash} on {MountUuid} with a copy from {Source}")]
    public partial void Healed(BlockHash hash, string mountUuid, string source);

    [LoggerMessage(1042, LogLevel.Critical, "Scrub: no good copy of {Hash} for {MountUuid}: {Reason}. Bring back a disk or server that has one, or store the block again; it is tried again after each pass")]
    public partial void Lost(BlockHash hash, string mountUuid, string reason);

    [LoggerMessage(1043, LogLevel.Information, "Scrub: finished {MountUuid}: {Totals}")]
    public partial void PassComplete(string mountUuid, ScrubTotals totals);

    [LoggerMessage(1044, LogLevel.Warning, "Scrub of {MountUuid}: {Reason}")]
    private partial void LogFailed(string mountUuid, string reason);
}
