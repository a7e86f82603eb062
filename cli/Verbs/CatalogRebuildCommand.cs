using System.CommandLine;
using System.Globalization;
using KeepFs.Catalog.Checkpoints.Rebuild;
using KeepFs.Cli.Admin;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Volumes;
using KeepFs.Hosting.Configuration;

namespace KeepFs.Cli.Verbs;

/// <summary><c>keepfs catalog rebuild</c>: an export of a catalogue that is lost, from what it stored on the volumes (docs/decisions/0040-checkpoints.md).</summary>
internal static class CatalogRebuildCommand
{
    private const int HashShown = BlockHash.TextLength;

    public static Command Create()
    {
        var volumes = new Option<string[]>("--volume") { Description = "A folder with blocks; repeat it for all that are left. Nothing is written there.", Arity = ArgumentArity.OneOrMore, Required = true };
        var output = new Option<string?>("--output") { Description = "A new file for the records, readable by you alone, for keepfs catalog import." };
        var list = new Option<bool>("--list") { Description = "Only show the checkpoints that are there." };
        var cluster = new Option<string?>("--cluster-id") { Description = "Of which cluster, when the volumes hold checkpoints of several." };
        var checkpoint = new Option<string?>("--checkpoint") { Description = "Use this one (a hash that --list shows) instead of the newest that is whole." };
        var config = new Option<string?>("--config") { Description = "The lost cluster's config.yml, if you have it: checkpoints that its catalogue did not make are ignored." };
        var listMissing = new Option<bool>("--list-missing") { Description = "Name every block that is on none of the volumes, with a collection that needs it." };
        var command = new Command("rebuild", "Make an export of a catalogue that is lost, from the checkpoints on its volumes.") { volumes, output, list, cluster, checkpoint, config, listMissing };
        command.SetAction(async (parsed, ct) =>
        {
            if (parsed.GetValue(output) is null && !parsed.GetValue(list))
            {
                throw new CommandException("Name a file with --output, or --list to see what there is.", 2);
            }

            if (parsed.GetValue(output) is { } file)
            {
                FileTransfer.RequireFree(file);
            }

            var opened = new List<IVolume>();
            try
            {
                foreach (var folder in parsed.GetRequiredValue(volumes))
                {
                    opened.Add(Open(folder));
                }

                var rebuild = await CheckpointRebuild.OpenAsync(opened, ct);
                var found = await rebuild.FindAsync(ct);
                var wanted = Choose(found, rebuild.Copies, parsed.GetValue(cluster), parsed.GetValue(checkpoint), parsed.GetValue(config), picks: !parsed.GetValue(list));
                if (parsed.GetValue(list))
                {
                    Show(wanted, Console.Out);
                    return 0;
                }

                await WriteAsync(rebuild, wanted, parsed.GetValue(output)!, parsed.GetValue(listMissing), ct);
                return 0;
            }
            finally
            {
                foreach (var volume in opened)
                {
                    await volume.DisposeAsync();
                }
            }
        });
        return command;
    }

    private static DirectoryVolume Open(string folder) => new(new DirectoryVolumeOptions
    {
        Root = Path.GetFullPath(folder),
        // It is only read; nothing is ever trashed here.
        Trash = new TrashPolicy(TimeSpan.MaxValue, TimeSpan.MaxValue, TimeProvider.System),
        ShareSyncsFrom = 0,
    });

    /// <summary>Those that may be used, newest first.</summary>
    private static List<FoundCheckpoint> Choose(IReadOnlyList<FoundCheckpoint> found, long copies, string? cluster, string? checkpoint, string? config, bool picks)
    {
        if (found.Count == 0)
        {
            throw new CommandException($"None of the {copies} blocks on these volumes is the head of a checkpoint. Are these all the volumes of the cluster?");
        }

        var wanted = found.Where(candidate => cluster is null || candidate.ClusterId == cluster).ToList();
        if (config is not null)
        {
            var token = ClusterConfigLoader.Load(config).Config.SystemRootToken;
            var foreign = wanted.RemoveAll(candidate => !candidate.IsSealedBy(token));
            if (foreign > 0)
            {
                Console.Error.WriteLine($"keepfs: {foreign} checkpoints were not made with the SystemRootToken of {config} and are ignored");
            }
        }

        if (checkpoint is not null)
        {
            wanted.RemoveAll(candidate => !candidate.Block.ToString().Equals(checkpoint.Split('+')[0], StringComparison.OrdinalIgnoreCase));
        }

        if (wanted.Count == 0)
        {
            Show(found, Console.Error);
            throw new CommandException("None of the checkpoints on these volumes is the one that was asked for; the list above shows what there is.");
        }

        if (picks && wanted.Select(candidate => candidate.ClusterId).Distinct().Skip(1).Any())
        {
            Show(wanted, Console.Error);
            throw new CommandException("The volumes hold checkpoints of several clusters: choose one with --cluster-id.");
        }

        // A catalogue that was begun anew on the same volumes, or somebody who may store blocks and wants his to be taken for the catalogue's.
        if (picks && wanted.Select(candidate => candidate.Lineage).Distinct().Skip(1).Any())
        {
            Show(wanted, Console.Error);
            throw new CommandException("Several catalogues have made the checkpoints of this cluster, and nothing tells which is yours: choose one with --checkpoint.");
        }

        return wanted;
    }

    private static async Task WriteAsync(CheckpointRebuild rebuild, IReadOnlyList<FoundCheckpoint> wanted, string file, bool listsMissing, CancellationToken ct)
    {
        RebuildReport? report = null;
        await FileTransfer.SaveAsync(
            file,
            async stream => report = await rebuild.WriteAsync(
                wanted, stream, (skipped, why) => Console.Error.WriteLine($"keepfs: checkpoint {skipped.Sequence} of {Time(skipped)} cannot be used: {why}"), ct)
                ?? throw new CommandException("No checkpoint on these volumes is whole. Are these all the volumes of the cluster?"),
            static _ => { });
        var used = report!.Checkpoint;
        Console.WriteLine($"cluster     {used.ClusterId}");
        Console.WriteLine($"checkpoint  {used.Sequence} of {Time(used)}, {Age(TimeProvider.System.GetUtcNow() - used.At)} old: what was saved later is not in it");
        Console.WriteLine($"records     {Counts(used)}");
        Console.WriteLine($"blocks      {(report.Missing.Count == 0 ? "all that they name are there" : $"{report.Missing.Count} are on none of the volumes, needed by {report.IncompleteCollections} collections or past versions")}");
        if (listsMissing)
        {
            foreach (var block in report.Missing)
            {
                Console.WriteLine($"missing     {block.Locator} {block.CollectionUuid}");
            }
        }

        Console.WriteLine();
        Console.WriteLine($"{file} has no tokens. To go on with it:");
        Console.WriteLine($"  keepfs up --cluster-id {used.ClusterId} --volume ... (the same volumes, a new --data folder)");
        Console.WriteLine($"  keepfs catalog import {file}");
    }

    private static void Show(IReadOnlyList<FoundCheckpoint> found, TextWriter to)
    {
        to.WriteLine($"{"checkpoint",-HashShown}  cluster  {"as of",-20}  number  {"catalogue",-8}  records");
        foreach (var one in found)
        {
            to.WriteLine($"{one.Block,-HashShown}  {one.ClusterId,-7}  {Time(one),-20}  {one.Sequence,6}  {one.Lineage[..Math.Min(8, one.Lineage.Length)],-8}   {Counts(one)}");
        }
    }

    private static string Counts(FoundCheckpoint found) => string.Join(", ", found.Counts.Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Value} {pair.Key}")));

    private static string Time(FoundCheckpoint found) => found.At.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static string Age(TimeSpan age) => age switch
    {
        { TotalDays: >= 2 } => string.Create(CultureInfo.InvariantCulture, $"{age.TotalDays:0} days"),
        { TotalHours: >= 2 } => string.Create(CultureInfo.InvariantCulture, $"{age.TotalHours:0} hours"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, age.TotalMinutes):0} minutes"),
    };
}
