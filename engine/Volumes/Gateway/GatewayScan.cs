using System.Collections.Concurrent;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Blocks.Hashing;

namespace KeepFs.Engine.Volumes.Gateway;

/// <summary>
/// Brings an index in line with a store (keep-gateway.md 6): what is new or changed is read once and hashed, what is not listed any more is
/// removed. May be killed at any time: what is catalogued stays, the rest is done by the next scan. A hash never loses its last valid
/// candidate on the way. One scan of an index at a time, whichever process runs it.
/// </summary>
public sealed class GatewayScan
{
    private static readonly TimeSpan TemporariesAge = TimeSpan.FromHours(1);
    private readonly GatewayIndex _index;
    private readonly ObjectDigester _digester;
    private readonly GatewayScanOptions _options;
    private readonly IScanProgress _progress;
    private readonly TimeProvider _time;
    private readonly ScanWriter _writer;
    private long _listed;
    private long _kept;
    private long _read;
    private long _readBytes;
    private long _vanished;
    private long _errors;

    /// <summary>A scan; run it once.</summary>
    /// <param name="index">What to bring up to date; its directory is made if need be.</param>
    /// <param name="source">Where objects are read.</param>
    /// <param name="buffers">Memory for what is being hashed.</param>
    /// <param name="hashing">Hashes several objects together.</param>
    /// <param name="options">How.</param>
    /// <param name="progress">Told how it goes.</param>
    /// <param name="time">For time stamps and timeouts.</param>
    public GatewayScan(
        GatewayIndex index, IObjectSource source, BlockBufferPool buffers, HashService? hashing, GatewayScanOptions options, IScanProgress progress, TimeProvider time)
    {
        (_index, _options, _progress, _time) = (index, options, progress, time);
        _digester = new ObjectDigester(source, buffers, hashing, options.ProgressTimeout, time, progress.Advance);
        _writer = new ScanWriter(index, options.Jobs);
    }

    /// <summary>Scans.</summary>
    /// <param name="listing">Every object below the prefix. It may fail half-way: then nothing is removed and the failure is passed on.</param>
    /// <param name="isComplete">Asked when the listing has ended; false: something could not be listed, so nothing is removed.</param>
    /// <param name="cancellationToken">Stops; what is done stays.</param>
    /// <exception cref="IOException">Another scan runs on this index, or it cannot be written.</exception>
    /// <exception cref="EmptyListingException">See <see cref="GatewayScanOptions.MayRemoveAll"/>.</exception>
    public async Task<ScanReport> RunAsync(IAsyncEnumerable<ObjectInfo> listing, Func<bool> isComplete, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(_index.Directory);
        using var held = TakeIndex();
        var started = _time.GetUtcNow();
        _index.RemoveTemporaries((started - TemporariesAge - DateTimeOffset.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick);
        var seen = new ConcurrentDictionary<BlockHash, bool>();
        await using (_writer.Start())
        {
            await Parallel.ForEachAsync(
                listing,
                new ParallelOptions { MaxDegreeOfParallelism = _options.Jobs, CancellationToken = cancellationToken },
                async (item, token) =>
                {
                    Interlocked.Increment(ref _listed);
                    seen[item.Key.Hash] = true;
                    await VisitAsync(item, token);
                });
        }

        var removed = isComplete() ? await RemoveUnlistedAsync(seen, cancellationToken) : 0;
        new ScanSummary(started.ToUnixTimeSeconds(), _time.GetUtcNow().ToUnixTimeSeconds(), _errors).Write(_index);
        return new ScanReport(_listed, _kept, _read, _readBytes, removed, _vanished, _errors);
    }

    private async Task VisitAsync(ObjectInfo item, CancellationToken cancellationToken)
    {
        var known = _index.Objects.Find(item.Key);
        if (known?.Info == item && !item.ETag.EndsWith('?'))
        {
            Interlocked.Increment(ref _kept);
            _progress.Indexed(known);
            return;
        }

        try
        {
            var entry = FromETag(item) ?? await _digester.DigestAsync(item.Key, cancellationToken);
            if (entry is null)
            {
                Interlocked.Increment(ref _vanished);
                return;
            }

            await _writer.WriteAsync(entry, known, cancellationToken);
            Interlocked.Increment(ref _read);
            Interlocked.Add(ref _readBytes, entry.Info.SizeBytes);
            _progress.Indexed(entry);
        }
        catch (ObjectUnavailableException e)
        {
            Interlocked.Increment(ref _errors);
            _progress.Failed(item, e.Message);
        }
    }

    private CataloguedObject? FromETag(ObjectInfo item) =>
        _options.TrustsETag && item.SizeBytes <= Locator.MaxBlockSizeBytes && BlockHash.TryParse(item.ETag.AsSpan().Trim('"'), out var hash)
            ? new CataloguedObject(item, [new ObjectSegment(0, (int)item.SizeBytes, hash)])
            : null;

    private async Task<long> RemoveUnlistedAsync(ConcurrentDictionary<BlockHash, bool> seen, CancellationToken cancellationToken)
    {
        var unlisted = _index.Objects.KeyHashes().Where(hash => !seen.ContainsKey(hash))
            .Select(_index.Objects.Find).OfType<CataloguedObject>().Where(entry => entry.Info.Key.StartsWith(_options.Prefix));
        if (_listed == 0 && !_options.MayRemoveAll && unlisted.FirstOrDefault() is { } one)
        {
            throw new EmptyListingException($"Nothing was found, but the index {_index.Directory} knows objects such as \"{one.Info.Key}\": nothing was removed.");
        }

        long removed = 0;
        await using (_writer.Start())
        {
            foreach (var entry in unlisted)
            {
                await _writer.RemoveAsync(entry, cancellationToken);
                removed++;
            }
        }

        return removed;
    }

    /// <summary>The runtime takes an advisory lock for FileShare.None, which ends with the process however it ends.</summary>
    private FileStream TakeIndex()
    {
        try
        {
            return new FileStream(Path.Join(_index.Directory, ".lock.scan"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (e is not (DirectoryNotFoundException or FileNotFoundException))
        {
            throw new IOException($"Another scan of the index {_index.Directory} is running, or its lock cannot be taken: {e.Message}", e);
        }
    }
}
