using KeepFs.Engine.FileSystems.Journal;
using KeepFs.Engine.Manifests;

namespace KeepFs.Engine.FileSystems;

/// <summary>Replay: what a dead process recorded and did not save becomes unsaved changes of this collection.</summary>
public sealed partial class CollectionFileSystem
{
    /// <summary>
    /// Carries out what the chain says and takes the chain over, so that the next save supersedes it. Nothing is written to the chain before that save: when the
    /// process dies meanwhile, the next one starts again from the same records.
    /// </summary>
    internal async Task ReplayAsync(StagingJournal journal, ChainScan scan, BlockAdoption blocks, CancellationToken cancellationToken)
    {
        // No save may take half of it.
        await _saving.WaitAsync(cancellationToken);
        try
        {
            _isReplaying = true;
            var replay = new JournalReplay(this, scan, blocks);
            await replay.RunAsync(cancellationToken);
            lock (Lock)
            {
                foreach (var (id, file) in replay.Files)
                {
                    (file.JournalId, file.JournalSince) = (id, 1);
                }

                // The dead process's last request may still be on its way to the catalogue, and arrive before ours.
                _unanswered = UnansweredOf(scan);
                AttachJournal(new CollectionJournal(journal, scan.Folder, scan, () => _basePortableDataHash) { KeepsAside = replay.Damage is not null });
            }
        }
        finally
        {
            _saving.Release();
        }
    }

    internal async ValueTask ReplayWriteAsync(CollectionFile file, long offset, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        await FillGapAsync(file, offset, cancellationToken);
        await WriteDataAsync(file, offset, data, cancellationToken);
    }

    /// <summary>What the last save of the chain was about to put where, as far as the journal says it: files and removals.</summary>
    private static (string Path, ManifestNode? Node)[] UnansweredOf(ChainScan scan)
    {
        var entries = scan.Unanswered.Select(save => save.Entries).FirstOrDefault() ?? [];
        return
        [
            .. entries.Where(entry => entry.Kind != SavedKind.Directory).Select(entry => (entry.Path, entry.Kind == SavedKind.File ? new ManifestFile(entry.Segments) : (ManifestNode?)null)),
        ];
    }
}
