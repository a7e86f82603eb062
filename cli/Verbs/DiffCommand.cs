using System.CommandLine;
using System.Text;
using KeepFs.Cli.Diff;
using KeepFs.Cli.Settings;
using KeepFs.Cli.Transfer;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Catalog;
using KeepFs.Engine.FileSystems;
using KeepFs.Engine.Manifests;

namespace KeepFs.Cli.Verbs;

/// <summary><c>keepfs diff</c>: what differs between two collections, versions or local directories. Exit code 0 nothing, 1 something, 2 it could not be found out.</summary>
internal static class DiffCommand
{
    private const int Different = 1;
    private const int Failed = 2;
    private const int MaxNamedSkips = 20;

    public static Command Create()
    {
        const string What = "UUID, portable data hash, UUID@VERSION, UUID@TIME (each with /PATH if need be), or a local directory or file.";
        var left = new Argument<string?>("A") { Description = What, Arity = ArgumentArity.ZeroOrOne };
        var right = new Argument<string?>("B") { Description = "The same.", Arity = ArgumentArity.ZeroOrOne };
        var json = new Option<bool>("--json") { Description = "One JSON object a line." };
        var noRenames = new Option<bool>("--no-renames") { Description = "Show a renamed file as removed and added; prints while it compares." };
        var quiet = new Option<bool>("--quiet", "-q") { Description = "Print nothing; the exit code says whether anything differs." };
        var command = new Command("diff", "List what differs: A added, D removed, M changed, R renamed. Exit code 0 if nothing does, 1 if something does, 2 on failure.")
        {
            left, right, json, noRenames, quiet,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var (a, b) = (parsed.GetValue(left), parsed.GetValue(right));
            if (a is null || b is null)
            {
                throw new CommandException("Give two things to compare: keepfs diff A B.", Failed);
            }

            try
            {
                return await RunAsync(a, b, parsed.GetValue(json), !parsed.GetValue(noRenames), parsed.GetValue(quiet), cancellationToken);
            }
            catch (Exception e) when (e is KeepException or CatalogException or FsException or ManifestException or IOException or UnauthorizedAccessException or CommandException)
            {
                throw new CommandException(e.Message, Failed, e);
            }
        });
        return command;
    }

    private static async Task<int> RunAsync(string a, string b, bool asJson, bool findsRenames, bool isQuiet, CancellationToken cancellationToken)
    {
        await using var session = DiffSide.IsRemote(a) || DiffSide.IsRemote(b)
            ? await ClientSession.ConnectAsync(ArvadosSettings.Load(), new SessionLimits(256 << 20, 64 << 20, 3), cancellationToken)
            : null;
        var skips = new SkipReport(MaxNamedSkips);
        var left = await DiffSide.OpenAsync(a, session?.Catalog, skips.Add, cancellationToken);
        var right = await DiffSide.OpenAsync(b, session?.Catalog, skips.Add, cancellationToken);
        var others = left.IsFile && right.IsFile ? right.Entries.Select(entry => entry with { Path = left.Entries.First().Path }) : right.Entries;
        await using var output = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), 64 << 10);
        var lines = new DiffOutput(output, asJson);
        var exitCode = 0;
        await foreach (var change in new TreeDiff(new ContentComparison(session?.Store)).CompareAsync(left.Entries, others, findsRenames && !isQuiet, cancellationToken))
        {
            exitCode = Different;
            if (isQuiet)
            {
                break;
            }

            lines.Write(change);
        }

        skips.Finish();
        return exitCode;
    }
}
