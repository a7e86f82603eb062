using System.CommandLine;
using System.Globalization;
using KeepFs.Cli.Settings;
using KeepFs.Cli.Transfer;
using KeepFs.Engine.Manifests;

namespace KeepFs.Cli.Verbs;

/// <summary><c>keepfs ls</c>: the files of a collection, or what a project or your home holds.</summary>
internal static class LsCommand
{
    public static Command Create()
    {
        var source = new Argument<string?>("SOURCE") { Description = "COLLECTION[/path], or the UUID of a project or user; nothing = your home.", Arity = ArgumentArity.ZeroOrOne };
        var sizes = new Option<bool>("--sizes", "-s") { Description = "Show sizes in KiB, rounded up." };
        var command = new Command("ls", "List the files of a collection, or the collections of a project.") { source, sizes };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using var session = await ClientSession.ConnectAsync(ArvadosSettings.Load(), new SessionLimits(256 << 20, 128 << 20, 3), cancellationToken);
            var place = parsed.GetValue(source);
            if (place is null || place.Contains("-j7d0g-", StringComparison.Ordinal) || place.Contains("-tpzed-", StringComparison.Ordinal))
            {
                await ListProjectAsync(session, place ?? (await session.Catalog.GetCurrentUserAsync(cancellationToken)).Uuid, cancellationToken);
            }
            else
            {
                var (_, node) = await SourceLocation.Parse(place).LoadAsync(session.Catalog, cancellationToken);
                ListFiles(node as ManifestDirectory ?? throw new CommandException($"\"{place}\" is a file."), ".", parsed.GetValue(sizes));
            }

            return 0;
        });
        return command;
    }

    private static async Task ListProjectAsync(ClientSession session, string uuid, CancellationToken cancellationToken)
    {
        await foreach (var item in session.Catalog.ListContentsAsync(uuid, cancellationToken))
        {
            Console.WriteLine($"{item.Uuid}  {item.Name}{(item.IsCollection ? "" : "/")}");
        }
    }

    /// <summary>Files before sub-directories, as <c>./dir/name</c> (client-cli.md section 4).</summary>
    private static void ListFiles(ManifestDirectory directory, string path, bool withSizes)
    {
        foreach (var (name, node) in directory.Entries)
        {
            if (node is ManifestFile file)
            {
                var size = withSizes ? string.Create(CultureInfo.InvariantCulture, $"{(file.SizeBytes + 1023) / 1024,10} ") : "";
                Console.WriteLine($"{size}{path}/{name}");
            }
        }

        foreach (var (name, node) in directory.Entries)
        {
            if (node is ManifestDirectory child)
            {
                ListFiles(child, $"{path}/{name}", withSizes);
            }
        }
    }
}
