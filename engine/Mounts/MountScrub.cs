using System.Globalization;
using System.Text.Json;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Blocks.Hashing;
using KeepFs.Engine.Volumes;

namespace KeepFs.Engine.Mounts;

/// <summary>The scrubbing of one mount.</summary>
internal sealed class MountScrub(
    Mount mount,
    Keepstore keepstore,
    BlockBufferPool buffers,
    ICopyFinder? others,
    ScrubOptions options,
    ScrubControl control,
    Func<bool> isIdle,
    IScrubEvents events,
    TimeProvider time,
    HashService? hashing)
{
    // Two digits: a part of the index that is neither much to list again after a restart nor one of very many.
    private const int PrefixLength = 2;
    private const int Prefixes = 1 << (4 * PrefixLength);
    private readonly BlockHealer _healer = new(mount, keepstore, buffers, others, hashing);
    private volatile ScrubState _state = new();
    private ScrubState? _saved;
    private volatile string _activity = "off";
    private int _requestsServed;
    private long _savedAt;

    /// <summary>A pass that somebody asked for counts as begun, so that whoever asked can wait for its end.</summary>
    public MountScrubStatus Status => new(mount.Uuid, control.IsOn && control.Requests != Volatile.Read(ref _requestsServed) ? "scrubbing" : _activity, Done(_state.Position), _state);

    private IScrubVolume? Aside => mount.Volume as IScrubVolume;

    /// <summary>Passes, one after the other when each is due, until cancelled; never throws.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await LoadAsync(cancellationToken);
            _saved = _state;
            var isFirst = true;
            while (true)
            {
                await UntilDueAsync(isFirst, cancellationToken);
                isFirst = false;
                try
                {
                    await PassAsync(cancellationToken);
                }
                catch (KeepException e)
                {
                    // The volume cannot be listed. The position is kept, and the rest waits until that has had time to change.
                    events.Failed(mount.Uuid, e);
                    _activity = "waiting";
                    await WaitAsync(TimeSpan.FromMinutes(1), control.Changed, cancellationToken);
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            if (!ReferenceEquals(_state, _saved))
            {
                await SaveAsync(CancellationToken.None);
            }
        }
    }

    private static double Done(string position) =>
        position.Length < 8 ? 0 : uint.Parse(position.AsSpan(0, 8), NumberStyles.HexNumber, CultureInfo.InvariantCulture) / (double)uint.MaxValue;

    private async Task UntilDueAsync(bool isFirst, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        while (true)
        {
            var changed = control.Changed;
            if (!control.IsOn)
            {
                _activity = "off";
                await changed.WaitAsync(cancellationToken);
                continue;
            }

            if (control.Requests != _requestsServed)
            {
                _activity = "scrubbing";
                Volatile.Write(ref _requestsServed, control.Requests);
                return;
            }

            var due = _state.Position.Length > 0 ? TimeSpan.Zero : DateTimeOffset.FromUnixTimeSeconds(_state.LastCompleteAt) + options.Interval - time.GetUtcNow();
            var delay = isFirst ? options.StartDelay - time.GetElapsedTime(started) : TimeSpan.Zero;
            var wait = due > delay ? due : delay;
            if (wait <= TimeSpan.Zero)
            {
                return;
            }

            _activity = "waiting";

            // Timers take 49 days at most.
            await WaitAsync(wait > TimeSpan.FromDays(1) ? TimeSpan.FromDays(1) : wait, changed, cancellationToken);
        }
    }

    /// <summary>From the position to the end, or until it is switched off.</summary>
    private async Task PassAsync(CancellationToken cancellationToken)
    {
        if (_state.Position.Length == 0)
        {
            _state = _state with { PassStartedAt = time.GetUtcNow().ToUnixTimeSeconds(), Pass = new ScrubTotals() };
        }

        var first = _state.Position.Length == 0 ? 0 : int.Parse(_state.Position.AsSpan(0, PrefixLength), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        for (var prefix = first; prefix < Prefixes; prefix++)
        {
            await foreach (var entry in mount.Volume.IndexAsync(prefix.ToString("x2", CultureInfo.InvariantCulture), cancellationToken))
            {
                if (string.CompareOrdinal(entry.Hash.ToString(), _state.Position) <= 0)
                {
                    continue;
                }

                var bytes = await CheckWhenIdleAsync(entry, cancellationToken);
                if (bytes is null)
                {
                    await SaveAsync(cancellationToken);
                    return;
                }

                _state = _state with { Position = entry.Hash.ToString() };
                if (time.GetElapsedTime(_savedAt) >= options.SaveEvery)
                {
                    await SaveAsync(cancellationToken);
                }

                await PaceAsync(bytes.Value + options.BytesPerBlock, cancellationToken);
            }
        }

        await HealQuarantineAsync(cancellationToken);
        _state = _state with { Position = "", LastCompleteAt = time.GetUtcNow().ToUnixTimeSeconds(), LastPass = _state.Pass };
        await SaveAsync(cancellationToken);

        // Whoever asked while this pass was under way has got it.
        Volatile.Write(ref _requestsServed, control.Requests);
        events.PassComplete(mount.Uuid, _state.Pass);
    }

    /// <summary>The bytes read; null when scrubbing was switched off.</summary>
    private async Task<long?> CheckWhenIdleAsync(IndexEntry entry, CancellationToken cancellationToken)
    {
        var since = time.GetTimestamp();
        while (true)
        {
            // Taken before looking, so that no change is missed.
            var changed = control.Changed;
            if (!control.IsOn || isIdle() || time.GetElapsedTime(since) >= options.BusyPatience)
            {
                break;
            }

            _activity = "yielding";
            await WaitAsync(options.IdlePoll, changed, cancellationToken);
        }

        if (!control.IsOn)
        {
            return null;
        }

        _activity = "scrubbing";
        return await CheckAsync(entry, cancellationToken);
    }

    private async Task<long> CheckAsync(IndexEntry entry, CancellationToken cancellationToken)
    {
        try
        {
            var (verdict, bytes) = await _healer.VerifyAsync(entry.Hash, entry.SizeBytes, cancellationToken);
            Count(pass => pass with { CheckedBlocks = pass.CheckedBlocks + 1, CheckedBytes = pass.CheckedBytes + bytes });
            if (verdict == CopyState.Corrupt)
            {
                await TreatAsync(entry.Hash, cancellationToken);
            }

            return bytes;
        }
        catch (KeepException e)
        {
            // A read error is the medium's own way to say that the copy is bad; it stays until the disk is replaced or the block written again.
            Count(pass => pass with { FailedReads = pass.FailedReads + 1 });
            events.Failed(mount.Uuid, e);
            return 0;
        }
    }

    private async Task TreatAsync(BlockHash hash, CancellationToken cancellationToken)
    {
        var isQuarantined = mount.AllowWrite && Aside is not null && await Aside.QuarantineAsync(hash, cancellationToken);
        if (mount.AllowWrite && Aside is not null && !isQuarantined)
        {
            // Somebody has written it again, or trashed it.
            return;
        }

        keepstore.Forget(hash);
        keepstore.Counters.CorruptCopy();
        Count(pass => pass with { CorruptBlocks = pass.CorruptBlocks + 1 });
        events.FoundCorrupt(hash, mount.Uuid, isQuarantined);
        if (mount.AllowWrite && !await HealAsync(hash, cancellationToken))
        {
            _state = _state with { LostBlocks = _state.LostBlocks + 1 };
        }

        await SaveAsync(cancellationToken);
    }

    /// <summary>What could not be healed when it was found may be by now: a server is back, somebody has stored the block.</summary>
    private async Task HealQuarantineAsync(CancellationToken cancellationToken)
    {
        var lost = 0;
        if (Aside is { } aside)
        {
            foreach (var hash in await aside.ListQuarantineAsync(cancellationToken))
            {
                // Also what was trashed before it was found, or deleted since, has no copy: then there is none elsewhere either, and it counts
                // as lost until somebody who knows better removes it from the quarantine.
                if (await mount.Volume.GetMtimeAsync(hash, cancellationToken) is null && mount.AllowWrite && !await HealAsync(hash, cancellationToken))
                {
                    lost++;
                }
            }
        }

        _state = _state with { LostBlocks = lost };
    }

    private async Task<bool> HealAsync(BlockHash hash, CancellationToken cancellationToken)
    {
        try
        {
            if (await _healer.HealAsync(hash, cancellationToken) is { } source)
            {
                Count(pass => pass with { HealedBlocks = pass.HealedBlocks + 1 });
                events.Healed(hash, mount.Uuid, source);
                return true;
            }

            events.Lost(hash, mount.Uuid, "no other mount and no other server has a good copy");
        }
        catch (KeepException e)
        {
            events.Lost(hash, mount.Uuid, e.Message);
        }

        return false;
    }

    private void Count(Func<ScrubTotals, ScrubTotals> change) => _state = _state with { Pass = change(_state.Pass) };

    private Task PaceAsync(long cost, CancellationToken cancellationToken)
    {
        var changed = control.Changed;
        return control.IsOn && control.BytesPerSecond is > 0 and var rate ? WaitAsync(TimeSpan.FromSeconds((double)cost / rate), changed, cancellationToken) : Task.CompletedTask;
    }

    private async Task WaitAsync(TimeSpan delay, Task changed, CancellationToken cancellationToken)
    {
        using var done = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(Task.Delay(delay, time, done.Token), changed);
        await done.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
    }

    private async Task LoadAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (Aside is not null && await Aside.LoadScrubStateAsync(cancellationToken) is { } saved
                && JsonSerializer.Deserialize(saved, ScrubJson.Default.ScrubState) is { Position: not null, Pass: not null } state && IsPosition(state.Position))
            {
                _state = state;
            }
        }
        catch (Exception e) when (e is KeepException or JsonException)
        {
            // Then from the start.
            events.Failed(mount.Uuid, e);
        }
    }

    private async Task SaveAsync(CancellationToken cancellationToken)
    {
        _savedAt = time.GetTimestamp();
        _saved = _state;
        try
        {
            if (Aside is not null && mount.AllowWrite)
            {
                await Aside.SaveScrubStateAsync(JsonSerializer.SerializeToUtf8Bytes(_state, ScrubJson.Default.ScrubState), cancellationToken);
            }
        }
        catch (KeepException e)
        {
            events.Failed(mount.Uuid, e);
        }
    }

    private static bool IsPosition(string position) => position.Length == 0 || BlockHash.TryParse(position, out _);
}
