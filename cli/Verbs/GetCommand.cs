using System.CommandLine;
using KeepFs.Cli.Output;
using KeepFs.Cli.Settings;
using KeepFs.Cli.Transfer;
using KeepFs.Engine.Manifests;

namespace KeepFs.Cli.Verbs;

/// <summary><c>keepfs get</c>: a collection, a directory or a file of it to local disk.</summary>
internal static class GetCommand
{
    public static Command Create()
    {
        var source = new Argument<string>("SOURCE") { Description = "COLLECTION[/path], the collection by UUID or portable data hash." };
        var destination = new Argument<string>("DEST") { Description = "Directory to fill (created if missing), or for one file: its name, an existing directory, or - for standard output." };
        var force = new Option<bool>("--force", "-f") { Description = "Overwrite existing files." };
        var quiet = new Option<bool>("--quiet", "-q") { Description = "No progress." };
        var command = new Command("get", "Fetch a collection, directory or file.") { source, destination, force, quiet };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var location = SourceLocation.Parse(parsed.GetRequiredValue(source));
            await using var session = await ClientSession.ConnectAsync(ArvadosSettings.Load(), new SessionLimits(512 << 20, 128 << 20, 3), cancellationToken);
            var (_, node) = await location.LoadAsync(session.Catalog, cancellationToken);
            await RunAsync(session, node, location, parsed.GetRequiredValue(destination), parsed.GetValue(force), parsed.GetValue(quiet), cancellationToken);
            return 0;
        });
        return command;
    }

    /// <summary>Downloads; shared with the demo.</summary>
    public static async Task<(int Files, long Bytes)> RunAsync(
        ClientSession session, ManifestNode node, SourceLocation location, string destination, bool overwrite, bool isQuiet, CancellationToken cancellationToken)
    {
        using var progress = new ProgressLine("get", isQuiet);
        var download = new TreeDownload(session, progress.Add);
        if (node is ManifestDirectory directory)
        {
            return await download.RunAsync(directory, destination, overwrite, cancellationToken);
        }

        var file = (ManifestFile)node;
        progress.SetTotal(file.SizeBytes);
        if (destination == "-")
        {
            await using var output = Console.OpenStandardOutput();
            await download.CopyAsync(file, output, cancellationToken);
            return (1, file.SizeBytes);
        }

        var target = Path.GetFullPath(Directory.Exists(destination) ? Path.Combine(destination, Path.GetFileName(location.Path)) : destination);
        if (!overwrite && Path.Exists(target))
        {
            throw new CommandException($"\"{target}\" exists already; -f overwrites.");
        }

        await download.WriteFileAsync(file, target, cancellationToken);
        return (1, file.SizeBytes);
    }
}
