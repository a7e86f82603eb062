using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Volumes.Gateway;

/// <summary>What an operator should hear of a <see cref="GatewayVolume"/>. Called from any thread; must not throw or wait.</summary>
public interface IGatewayEvents
{
    /// <summary>A candidate was tried in vain.</summary>
    void CandidateFailed(BlockHash hash, GatewayLine line, CandidateOutcome outcome, string reason);

    /// <summary>Nobody has the content any more: its last candidate has other bytes now.</summary>
    void ContentLost(BlockHash hash);

    /// <summary>Lines that break the grammar were met for the first time in this mapping.</summary>
    void MalformedLines(BlockHash hash, long count);

    /// <summary>The index could not be changed; reads go on.</summary>
    void ReorderFailed(BlockHash hash, Exception failure);
}

/// <summary>What became of one candidate (keep-gateway.md 7).</summary>
public enum CandidateOutcome
{
    /// <summary>Its bytes have the hash.</summary>
    Ok,

    /// <summary>No such object, or it is too short.</summary>
    Gone,

    /// <summary>Other bytes.</summary>
    Changed,

    /// <summary>No answer now.</summary>
    Unavailable,
}

/// <summary>What a <see cref="GatewayVolume"/> has met since it started. Safe to read at any time.</summary>
public sealed class GatewayCounters
{
    private readonly long[] _outcomes = new long[Enum.GetValues<CandidateOutcome>().Length];
    private long _requests;
    private long _errors;
    private long _readBytes;

    /// <summary>Candidates tried, by outcome.</summary>
    public long this[CandidateOutcome outcome] => Interlocked.Read(ref _outcomes[(int)outcome]);

    /// <summary>Requests to the remote store.</summary>
    public long Requests => Interlocked.Read(ref _requests);

    /// <summary>Requests that it did not answer.</summary>
    public long Errors => Interlocked.Read(ref _errors);

    /// <summary>Bytes read from it.</summary>
    public long ReadBytes => Interlocked.Read(ref _readBytes);

    internal void Count(CandidateOutcome outcome) => Interlocked.Increment(ref _outcomes[(int)outcome]);

    internal void CountRequest() => Interlocked.Increment(ref _requests);

    internal void CountError() => Interlocked.Increment(ref _errors);

    internal void CountRead(int bytes) => Interlocked.Add(ref _readBytes, bytes);
}

/// <summary>The remote store does not answer now, so nobody can say whether it has the block: the client should try again.</summary>
public sealed class RemoteUnavailableException(BlockHash hash, string deviceId, Exception? inner = null)
    : KeepException(KeepErrorKind.Unavailable, $"Block {hash}: {deviceId} does not answer now.", inner);
