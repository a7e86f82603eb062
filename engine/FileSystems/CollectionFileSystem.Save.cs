using System.Globalization;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Catalog;
using KeepFs.Engine.Manifests;

namespace KeepFs.Engine.FileSystems;

/// <summary>Save: path changes to the catalogue, in one transaction against the version that was read.</summary>
public sealed partial class CollectionFileSystem
{
    private static readonly string[] SavedFields = ["uuid", "portable_data_hash", "modified_at"];
    private readonly ITimer _saveTimer;
    private bool _saveScheduled;
    private int _failures;

    /// <summary>Paths and content of the save that was sent last and whose answer did not arrive. Belongs to who holds the save lock.</summary>
    private (string Path, ManifestNode? Node)[] _unanswered = [];

    /// <summary>Under the lock: a save has taken changes and may put them into the saved tree any time.</summary>
    internal bool IsSaving { get; private set; }

    /// <summary>
    /// Flushes and saves everything up to now. When it returns, the blocks are on the wanted number of keepstores and the catalogue has
    /// committed the new content; on failure nothing is lost and the next save tries again.
    /// </summary>
    /// <exception cref="FsException">Why it is not saved.</exception>
    public Task SaveAsync(CancellationToken cancellationToken) => SaveAsync(includeOpenFiles: true, cancellationToken);

    /// <summary>What the background does: files that are still being written wait for a later save, unless they are old.</summary>
    internal Task SaveClosedAsync(CancellationToken cancellationToken) => SaveAsync(includeOpenFiles: false, cancellationToken);

    /// <summary>Asks for a background save after the usual delay; cheap, may be called for every change.</summary>
    internal void ScheduleSave()
    {
        lock (Lock)
        {
            if (!_saveScheduled && !_isReplaying && !_closing.IsCancellationRequested)
            {
                _saveScheduled = true;
                _saveTimer.Change(Services.Options.SaveDelay, Timeout.InfiniteTimeSpan);
            }
        }
    }

    internal async ValueTask CloseAsync(CollectionFile file, CancellationToken cancellationToken)
    {
        if (Services.Options.SyncOnClose)
        {
            await SaveAsync(cancellationToken);
            return;
        }

        ThrowIfFailing(file);
        ScheduleSave();
    }

    private void ThrowIfFailing(CollectionFile file)
    {
        if (file.Failure is { } failure)
        {
            throw new FsException(FsError.InputOutput, $"\"{file.Name}\": earlier changes to it are kept but could not be saved in collection {Uuid} yet: {failure}");
        }
    }

    /// <summary>The timer's callback; failures are kept for the next close or write, and tried again with growing delays.</summary>
    private async void SaveInBackground()
    {
        lock (Lock)
        {
            _saveScheduled = false;
        }

        try
        {
            await SaveClosedAsync(_closing.Token);
            if (IsDirty)
            {
                ScheduleSave();
            }
        }
        catch (OperationCanceledException)
        {
            // Closing: SaveAsync was called before, or the caller wants to drop the changes.
        }
        catch (Exception e)
        {
            RememberFailure(e.Message);
            Services.Log($"collection {Uuid}: not saved yet, will be tried again: {e.Message}");
            var delay = Services.Options.RetryDelay * Math.Pow(2, Math.Min(_failures++, 10));
            lock (Lock)
            {
                if (!_closing.IsCancellationRequested)
                {
                    _saveScheduled = true;
                    _saveTimer.Change(delay < Services.Options.MaxRetryDelay ? delay : Services.Options.MaxRetryDelay, Timeout.InfiniteTimeSpan);
                }
            }
        }
    }

    private async Task SaveAsync(bool includeOpenFiles, CancellationToken cancellationToken)
    {
        await _saving.WaitAsync(cancellationToken);
        try
        {
            for (var attempt = 1; !await TrySaveAsync(includeOpenFiles, cancellationToken); attempt++)
            {
                if (attempt >= Services.Options.MaxMergeAttempts)
                {
                    throw new FsException(FsError.InputOutput, $"Collection {Uuid} was changed by others {attempt} times while it was being saved; try again.");
                }

                await ReloadAsync(cancellationToken);
            }

            ForgetFailures();
            ShowToOthers();
        }
        catch (KeepException e)
        {
            throw Translate(e);
        }
        catch (CatalogException e)
        {
            throw Translate(e);
        }
        finally
        {
            _saving.Release();
        }
    }

    /// <summary>The same collection at another place of the mount need not wait for its next regular refresh.</summary>
    private async void ShowToOthers()
    {
        foreach (var other in Services.Open.OthersOf(this))
        {
            try
            {
                await other.RefreshAsync(_closing.Token);
            }
            catch (Exception e) when (e is FsException or OperationCanceledException)
            {
                Services.Log($"collection {Uuid}: the other place that shows it is not refreshed yet: {e.Message}");
            }
        }
    }

    /// <summary>False when somebody else changed the collection first: reload, merge and try again.</summary>
    private async Task<bool> TrySaveAsync(bool includeOpenFiles, CancellationToken cancellationToken)
    {
        PendingSave pending;
        string expected;
        JournaledSave journaled;
        lock (Lock)
        {
            pending = TakeChanges(includeOpenFiles);
            IsSaving = true;
            expected = _basePortableDataHash;
            journaled = JournalTaken(pending);
        }

        var saved = false;
        var unanswered = _unanswered;
        try
        {
            if (pending.Changes.Count > 0)
            {
                await UploadAsync([.. pending.Files.SelectMany(file => file.Extents!).Where(extent => extent.Memory is not null).Select(extent => extent.Memory!).Distinct()], cancellationToken);
                foreach (var file in pending.Files)
                {
                    file.Ready = new ManifestFile(await StoredSegmentsAsync(file.Extents!, cancellationToken));
                }

                JournalSaving(journaled, pending);
                var request = ToRequest(pending, expected);
                _unanswered = [.. pending.Changes.Select(change => (change.Path, change.Node?.Build()))];
                var record = await Services.Catalog.UpdateCollectionAsync(Uuid, request, cancellationToken);
                lock (Lock)
                {
                    _unanswered = [];
                    Commit(pending, record);
                    JournalCommitted(journaled, pending);
                }
            }
            else
            {
                lock (Lock)
                {
                    ClearJournalIfSaved();
                }
            }

            saved = true;
        }
        catch (CatalogException e) when (e.Kind == CatalogErrorKind.PreconditionFailed)
        {
            // This one was answered; an earlier one may not have been.
            _unanswered = unanswered;
            return false;
        }
        finally
        {
            lock (Lock)
            {
                IsSaving = false;
                if (!saved)
                {
                    Restore(pending);
                }

                pending.Files.ForEach(file => FileContent.DropAll(file.Extents!));
            }
        }

        return true;
    }

    private static CollectionChange ToRequest(PendingSave pending, string expected)
    {
        var source = new ManifestTree();
        var replace = new Dictionary<string, string>(pending.Changes.Count);
        foreach (var (path, node) in pending.Changes)
        {
            if (node is null)
            {
                replace.Add("/" + path, "");
                continue;
            }

            var name = replace.Count.ToString(CultureInfo.InvariantCulture);
            source.Put(name, node.Build());
            replace.Add("/" + path, "manifest_text/" + name);
        }

        var manifest = source.ToManifest();
        return new CollectionChange
        {
            Collection = new CollectionWrite { ManifestText = manifest.Length > 0 ? manifest : null },
            ReplaceFiles = replace,
            IfPortableDataHash = expected,
            Select = SavedFields,
        };
    }

    internal static FsException Translate(CatalogException e) => new(e.Kind switch
    {
        CatalogErrorKind.NotFound => FsError.Stale,
        CatalogErrorKind.Unauthorized => FsError.Unauthorized,
        CatalogErrorKind.Forbidden => FsError.NotPermitted,
        CatalogErrorKind.QuotaExceeded => FsError.NoSpace,
        _ => FsError.InputOutput,
    }, e.Message, e);
}
