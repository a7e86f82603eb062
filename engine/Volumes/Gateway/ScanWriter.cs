using System.Threading.Channels;
using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Volumes.Gateway;

/// <summary>
/// Writes what a scan found, many objects at a time: those with the same content share one rewrite of their mapping, and the waits for the
/// disk overlap. Order within a batch: new lines, then lines that are no longer true are removed, then the catalogue. So whenever it
/// ends early, the catalogue still tells the next scan that these objects must be looked at.
/// </summary>
internal sealed class ScanWriter(GatewayIndex index, int jobs)
{
    /// <summary>Objects in one batch, and objects that may wait for the next.</summary>
    private const int MaxBatch = 1024;
    private Channel<Change> _changes = CreateChannel();

    /// <summary>Starts to write; disposing the result writes the rest.</summary>
    public IAsyncDisposable Start()
    {
        _changes = CreateChannel();
        return new Run(_changes.Writer, WriteAllAsync(_changes.Reader));
    }

    /// <summary>Takes an entry; it is durable when the run is disposed.</summary>
    public ValueTask WriteAsync(CataloguedObject entry, CataloguedObject? before, CancellationToken cancellationToken) => AddAsync(new Change(entry, before), cancellationToken);

    /// <summary>Takes an object that is gone: its lines and its entry are removed.</summary>
    public ValueTask RemoveAsync(CataloguedObject entry, CancellationToken cancellationToken) => AddAsync(new Change(null, entry), cancellationToken);

    private static Channel<Change> CreateChannel() =>
        Channel.CreateBounded<Change>(new BoundedChannelOptions(MaxBatch) { SingleReader = true });

    private ValueTask AddAsync(Change change, CancellationToken cancellationToken) => _changes.Writer.WriteAsync(change, cancellationToken);

    private async Task WriteAllAsync(ChannelReader<Change> changes)
    {
        var batch = new List<Change>();
        try
        {
            while (await changes.WaitToReadAsync())
            {
                while (batch.Count < MaxBatch && changes.TryRead(out var change))
                {
                    batch.Add(change);
                }

                await WriteBatchAsync(batch);
                batch.Clear();
            }
        }
        catch (Exception e)
        {
            // Whoever adds next learns why, instead of waiting for ever.
            _changes.Writer.TryComplete(e);
            throw;
        }
    }

    private async Task WriteBatchAsync(List<Change> batch)
    {
        var added = batch.Where(change => change.After is not null).SelectMany(change => Lines(change.After!)).ToLookup(pair => pair.Hash, pair => pair.Line);
        await ForEachAsync(added, group => index.Update(group.Key, lines => [.. lines, .. group]));

        var stale = batch.Where(change => change.Before is not null)
            .SelectMany(change => Lines(change.Before!).Except(change.After is null ? [] : Lines(change.After)))
            .ToLookup(pair => pair.Hash, pair => pair.Line);
        await ForEachAsync(stale, group => index.Update(group.Key, lines => lines.Except(group)));

        await ForEachAsync(batch, change =>
        {
            if (change.After is not null)
            {
                index.Objects.Put(change.After);
            }
            else
            {
                index.Objects.Remove(change.Before!.Info.Key);
            }
        });
    }

    /// <summary>These calls block, mostly in fsync: several at once share a commit of the journal. The thread pool lends its threads for the batch.</summary>
    private Task ForEachAsync<T>(IEnumerable<T> items, Action<T> work) => Parallel.ForEachAsync(
        items,
        new ParallelOptions { MaxDegreeOfParallelism = jobs },
        (item, _) =>
        {
            work(item);
            return default;
        });

    private static IEnumerable<(BlockHash Hash, GatewayLine Line)> Lines(CataloguedObject entry) =>
        entry.Segments.Select(segment => (segment.Hash, new GatewayLine(segment.Offset, segment.Length, entry.Info.Key)));

    private sealed record Change(CataloguedObject? After, CataloguedObject? Before);

    private sealed class Run(ChannelWriter<Change> writer, Task written) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            writer.TryComplete();
            await written;
        }
    }
}
