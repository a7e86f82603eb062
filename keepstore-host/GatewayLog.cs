using KeepFs.Engine.Blocks;
using KeepFs.Engine.Volumes.Gateway;
using Microsoft.Extensions.Logging;

namespace KeepFs.KeepstoreHost;

/// <summary>Log lines of gateway volumes; ids 1040-1049.</summary>
internal sealed partial class GatewayLog(ILogger logger) : IGatewayEvents
{
    private readonly ILogger _logger = logger;

    public void CandidateFailed(BlockHash hash, GatewayLine line, CandidateOutcome outcome, string reason) =>
        LogCandidateFailed(hash, outcome, line.Key.ToString(), line.Offset, line.Length, reason);

    [LoggerMessage(1040, LogLevel.Warning, "{Hash}: candidate {Outcome}: {Key} at {Offset}, {Length} bytes: {Reason}")]
    private partial void LogCandidateFailed(BlockHash hash, CandidateOutcome outcome, string key, long offset, int length, string reason);

    [LoggerMessage(1041, LogLevel.Error, "{Hash}: changed: no object has this content any more")]
    public partial void ContentLost(BlockHash hash);

    [LoggerMessage(1042, LogLevel.Warning, "{Hash}: its mapping has {Count} malformed lines, which are ignored")]
    public partial void MalformedLines(BlockHash hash, long count);

    public void ReorderFailed(BlockHash hash, Exception failure) => LogReorderFailed(hash, failure.Message);

    [LoggerMessage(1043, LogLevel.Warning, "{Hash}: cannot reorder its mapping: {Reason}")]
    private partial void LogReorderFailed(BlockHash hash, string reason);
}
