using System.Collections.Concurrent;

namespace KeepFs.Engine.FileSystems;

/// <summary>
/// The collections of one mount: they share one budget for unsaved data, so that a writer who waits for memory can have all of them flushed; and the
/// same collection can be open at two places.
/// </summary>
internal sealed class OpenCollections
{
    private readonly ConcurrentDictionary<CollectionFileSystem, bool> _open = new();
    private readonly ConcurrentDictionary<Task, bool> _uploads = new();

    /// <summary>Ends when one of the full segments that are on their way is done with, well or not; null when none is.</summary>
    public Task? NextUpload => _uploads.Keys.Where(upload => !upload.IsCompleted).ToArray() is { Length: > 0 } running ? Task.WhenAny(running) : null;

    public void Add(CollectionFileSystem collection) => _open[collection] = true;

    /// <summary>A full segment is on its way; the task does not fail.</summary>
    public void Add(Task upload)
    {
        _uploads[upload] = true;
        _ = upload.ContinueWith(done => _uploads.TryRemove(done, out _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    public void Remove(CollectionFileSystem collection) => _open.TryRemove(collection, out _);

    /// <summary>The same collection opened at another place of the tree, such as under its id.</summary>
    public IEnumerable<CollectionFileSystem> OthersOf(CollectionFileSystem collection) => _open.Keys.Where(other => other != collection && other.Uuid == collection.Uuid);

    /// <summary>Everything that is not saved, collection by collection.</summary>
    public IReadOnlyList<UnsavedCollection> Unsaved() => [.. _open.Keys.Where(collection => !collection.Services.IsNeverSaved).Select(collection => collection.DescribeUnsaved()).OfType<UnsavedCollection>()];

    /// <summary>Saves all of them, open files too; the first failure is thrown after all were tried.</summary>
    public async Task SaveAllAsync(CollectionFileSystem first, CancellationToken cancellationToken)
    {
        FsException? failure = null;
        foreach (var collection in _open.Keys.OrderBy(collection => collection != first))
        {
            try
            {
                if (collection.IsDirty)
                {
                    await collection.SaveAsync(cancellationToken);
                }
            }
            catch (FsException e)
            {
                failure ??= e;
            }
        }

        if (failure is not null)
        {
            throw failure;
        }
    }

    /// <summary>
    /// Flushes the writer's own collection, whose failure is the writer's, and then the others; what fails there is told by their own saves.
    /// </summary>
    public async Task FlushAsync(CollectionFileSystem first, CancellationToken cancellationToken)
    {
        await first.FlushAsync(cancellationToken);
        foreach (var other in _open.Keys)
        {
            try
            {
                if (other != first)
                {
                    await other.FlushAsync(cancellationToken);
                }
            }
            catch (FsException e)
            {
                first.Services.Log($"collection {other.Uuid}: its unsaved data takes memory that collection {first.Uuid} waits for, and could not be stored: {e.Message}");
            }
        }
    }

    /// <summary>
    /// Keepstores do not take what memory holds: it is put aside on the journal's disk. True when there is room now; false when there is no journal, when its disk
    /// does not take it either, or when everything is on its way already.
    /// </summary>
    public async Task<bool> SpillAsync(CollectionServices services, int wantedBytes, CancellationToken cancellationToken)
    {
        if (services.Journal is not { } journal)
        {
            return false;
        }

        await journal.Spilling.WaitAsync(cancellationToken);
        SpillFile? file = null;
        try
        {
            if (services.WritePool.OutBytes + wantedBytes <= services.WritePool.BudgetBytes / 2)
            {
                // Somebody else did it while we waited.
                return true;
            }

            file = journal.CreateSpill();
            var freed = _open.Keys.Sum(collection => collection.Spill(file));
            if (freed > 0)
            {
                services.Log($"keepstores do not take unsaved data, and memory for it is spent: {freed} bytes were put aside on the disk of the journal");
            }

            return freed > 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            services.Log($"memory for unsaved data is spent, and the disk of the journal takes none: {e.Message}");
            return false;
        }
        finally
        {
            file?.Drop();
            journal.Spilling.Release();
        }
    }
}
