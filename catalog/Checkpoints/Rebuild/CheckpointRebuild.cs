using KeepFs.Engine.Blocks;
using KeepFs.Engine.Volumes;

namespace KeepFs.Catalog.Checkpoints.Rebuild;

/// <summary>
/// Finds checkpoints of a catalogue on volumes and makes an export of one (docs/decisions/0040-checkpoints.md). Nothing is written to the volumes. Safe for
/// concurrent use.
/// </summary>
public sealed class CheckpointRebuild
{
    private readonly VolumeBlocks _blocks;

    private CheckpointRebuild(VolumeBlocks blocks) => _blocks = blocks;

    /// <summary>Copies of blocks on the volumes.</summary>
    public long Copies => _blocks.Copies;

    /// <summary>Lists what is there.</summary>
    /// <param name="volumes">Owned by the caller.</param>
    /// <param name="ct">Ends the work.</param>
    /// <exception cref="KeepException">A volume cannot be listed.</exception>
    public static async Task<CheckpointRebuild> OpenAsync(IReadOnlyList<IVolume> volumes, CancellationToken ct) => new(await VolumeBlocks.IndexAsync(volumes, ct));

    /// <summary>All whose head is undamaged, newest first. Reads the few blocks that have a head's length.</summary>
    public async Task<IReadOnlyList<FoundCheckpoint>> FindAsync(CancellationToken ct)
    {
        var found = new List<FoundCheckpoint>();
        foreach (var (hash, size) in _blocks.OfSize(CheckpointHead.IsSize))
        {
            var block = new byte[size];
            if (await _blocks.ReadAsync(hash, block, ct) && CheckpointHead.TryParse(block) is { } head)
            {
                found.Add(new FoundCheckpoint(hash, head, block));
            }
        }

        return [.. found.OrderByDescending(checkpoint => checkpoint.Head.At, StringComparer.Ordinal).ThenByDescending(checkpoint => checkpoint.Sequence)];
    }

    /// <summary>Writes the newest of the candidates that is whole, in the form of an export.</summary>
    /// <param name="candidates">Newest first.</param>
    /// <param name="output">Empty; can be truncated.</param>
    /// <param name="skipped">Told of each candidate that cannot be used, and why.</param>
    /// <param name="ct">Ends the work.</param>
    /// <returns>Null when none of them is whole.</returns>
    public async Task<RebuildReport?> WriteAsync(IReadOnlyList<FoundCheckpoint> candidates, Stream output, Action<FoundCheckpoint, string> skipped, CancellationToken ct)
    {
        foreach (var candidate in candidates)
        {
            output.SetLength(0);
            var merge = new CheckpointMerge(candidate.Head, _blocks);
            try
            {
                await merge.WriteAsync(output, ct);
                return new RebuildReport(candidate, merge.Records, merge.Missing, merge.IncompleteCollections);
            }
            catch (InvalidDataException e)
            {
                skipped(candidate, e.Message);
            }
        }

        return null;
    }
}
