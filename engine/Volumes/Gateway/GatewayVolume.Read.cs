using KeepFs.Engine.Blocks;
using KeepFs.Engine.Blocks.Hashing;

namespace KeepFs.Engine.Volumes.Gateway;

public sealed partial class GatewayVolume
{
    /// <summary>Tries the candidates in order (keep-gateway.md 7); null: the content is nowhere any more.</summary>
    private async ValueTask<long?> ReadCandidatesAsync(BlockHash hash, int sizeHintBytes, Memory<byte> destination, CancellationToken cancellationToken)
    {
        var lines = await LoadAsync(hash, sizeHintBytes, cancellationToken);
        if (lines.Count == 0)
        {
            return null;
        }

        if (lines.Max(line => line.Length) is var largest && largest > destination.Length)
        {
            return largest;
        }

        // Memory is the caller's already; what is scarce is the remote store.
        await _remoteReads.WaitAsync(cancellationToken);
        try
        {
            return await TryInOrderAsync(hash, lines, destination, cancellationToken);
        }
        finally
        {
            _remoteReads.Release();
        }
    }

    private async ValueTask<IReadOnlyList<GatewayLine>> LoadAsync(BlockHash hash, int sizeHintBytes, CancellationToken cancellationToken)
    {
        var (lines, malformed) = await RunAsync(() => _index.LoadAll(hash), cancellationToken);
        if (malformed > 0 && _reported.Add(hash))
        {
            _events.MalformedLines(hash, malformed);
        }

        return [.. lines.Where(line => (sizeHintBytes == 0 || line.Length == sizeHintBytes) && line.Key.StartsWith(_options.Prefix))];
    }

    private async ValueTask<long?> TryInOrderAsync(BlockHash hash, IReadOnlyList<GatewayLine> lines, Memory<byte> destination, CancellationToken cancellationToken)
    {
        var failed = new List<(GatewayLine Line, CandidateOutcome Outcome)>();
        foreach (var line in lines)
        {
            var (outcome, reason) = await TryAsync(hash, line, destination[..line.Length], cancellationToken);
            Counters.Count(outcome);
            if (outcome == CandidateOutcome.Ok)
            {
                await DemoteAsync(hash, [.. failed.Where(entry => entry.Outcome != CandidateOutcome.Unavailable).Select(entry => entry.Line)], cancellationToken);
                return line.Length;
            }

            _events.CandidateFailed(hash, line, outcome, reason);
            failed.Add((line, outcome));
        }

        if (failed.Any(entry => entry.Outcome == CandidateOutcome.Unavailable))
        {
            throw new RemoteUnavailableException(hash, DeviceId);
        }

        if (failed.Any(entry => entry.Outcome == CandidateOutcome.Changed))
        {
            _events.ContentLost(hash);
        }

        return null;
    }

    private async ValueTask<(CandidateOutcome Outcome, string Reason)> TryAsync(BlockHash hash, GatewayLine line, Memory<byte> destination, CancellationToken cancellationToken)
    {
        using var stall = new CancellationTokenSource(_options.ProgressTimeout, _options.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, stall.Token);
        Counters.CountRequest();
        try
        {
            await using var reader = await _source.OpenAsync(line.Key, line.Offset, line.Length, both.Token);
            if (reader is null)
            {
                return (CandidateOutcome.Gone, "it is not there, or too short");
            }

            await using var job = new HashJob(destination, _options.Hashing);
            var received = 0;
            while (received < destination.Length)
            {
                var count = await reader.ReadAsync(destination[received..], both.Token);
                if (count == 0)
                {
                    return (CandidateOutcome.Gone, $"it ended after {received} of {destination.Length} bytes");
                }

                received += count;
                job.Advance(received);
                Counters.CountRead(count);
                stall.CancelAfter(_options.ProgressTimeout);
            }

            return await job.FinishAsync() == hash ? (CandidateOutcome.Ok, "") : (CandidateOutcome.Changed, "its bytes have another hash");
        }
        catch (ObjectUnavailableException e)
        {
            Counters.CountError();
            return (CandidateOutcome.Unavailable, e.Message);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            Counters.CountError();
            return (CandidateOutcome.Unavailable, $"nothing came for {_options.ProgressTimeout.TotalSeconds} s");
        }
    }

    /// <summary>Moves lines that were tried in vain behind those that were not, so that the next reader does not try them first.</summary>
    private async ValueTask DemoteAsync(BlockHash hash, List<GatewayLine> failed, CancellationToken cancellationToken)
    {
        if (failed.Count == 0 || !_reordered.Add(hash))
        {
            return;
        }

        try
        {
            await RunAsync(() => _index.Update(hash, lines => [.. lines.Except(failed), .. lines.Intersect(failed)]), cancellationToken);
        }
        catch (KeepException e)
        {
            // The block itself is good; perhaps the index may not be written by this user.
            _events.ReorderFailed(hash, e);
        }
    }
}
