using System.CommandLine;
using KeepFs.Cli.Output;
using KeepFs.Cli.Settings;
using KeepFs.Cli.Transfer;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Catalog;

namespace KeepFs.Cli.Verbs;

/// <summary><c>keepfs put</c>: local files and directories into a new collection; prints its UUID.</summary>
internal static class PutCommand
{
    /// <summary>Skipped files that are named one by one; a tree can have thousands of links.</summary>
    private const int MaxNamedSkips = 20;

    public static Command Create()
    {
        var paths = new Argument<string[]>("PATH") { Description = "Files and directories. A directory d is stored as d/...; with a trailing slash its contents go to the root.", Arity = ArgumentArity.OneOrMore };
        var name = new Option<string?>("--name") { Description = "Name of the collection (default: Saved at ... by user@host); made unique if it is taken." };
        var project = new Option<string?>("--project") { Description = "UUID of the project or user that owns it (default: your home)." };
        var follow = new Option<bool>("--follow-links") { Description = "Store what symbolic links point to; otherwise links are skipped with a message." };
        var all = new Option<bool>("--list-skipped") { Description = "Name every skipped file instead of the first twenty." };
        var quiet = new Option<bool>("--quiet", "-q") { Description = "No progress." };
        var command = new Command("put", "Store files in a new collection and print its UUID.") { paths, name, project, follow, all, quiet };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using var session = await ClientSession.ConnectAsync(ArvadosSettings.Load(), new SessionLimits(256 << 20, 256 << 20, 3), cancellationToken);
            var skips = new SkipReport(parsed.GetValue(all) ? int.MaxValue : MaxNamedSkips);
            var record = await RunAsync(
                session, parsed.GetRequiredValue(paths), parsed.GetValue(name), parsed.GetValue(project), new LocalTree(parsed.GetValue(follow), skips.Add), skips, parsed.GetValue(quiet), cancellationToken);
            Console.WriteLine(record.Uuid);
            return 0;
        });
        return command;
    }

    /// <summary>Uploads and saves; shared with the demo.</summary>
    public static async Task<Collection> RunAsync(
        ClientSession session, string[] paths, string? name, string? project, LocalTree walker, SkipReport skips, bool isQuiet, CancellationToken cancellationToken)
    {
        var entries = paths.SelectMany(walker.Walk).ToList();
        if (entries.Count == 0)
        {
            throw new CommandException("There is nothing to store: no file or directory was found.");
        }

        using var progress = new ProgressLine("put", isQuiet);
        progress.SetTotal(entries.Sum(entry => Math.Max(entry.SizeBytes, 0)));
        var upload = new TreeUpload(session, BlockWriteOptions.Default, progress.Add, skips.Add);
        var manifest = await upload.RunAsync(entries, cancellationToken);
        skips.Finish();
        return await session.Catalog.CreateCollectionAsync(
            new CollectionChange
            {
                Collection = new CollectionWrite
                {
                    Name = name ?? $"Saved at {DateTime.UtcNow:yyyy-MM-dd HH:mm:ss} UTC by {Environment.UserName}@{Environment.MachineName}",
                    OwnerUuid = project,
                    ManifestText = manifest,
                },
                EnsureUniqueName = true,
                Select = ["uuid", "name", "portable_data_hash"],
            },
            cancellationToken);
    }
}
