namespace KeepFs.Cli.Mount;

/// <summary>
/// Takes <c>--exec CMD ARGS...</c> out of the command line of a mount: it ends at <c>--</c> or with the line, and its words are the command's, not
/// options of ours (mount.md section 1).
/// </summary>
internal static class ExecArguments
{
    private const string Option = "--exec";
    private static readonly string[] Verbs = ["mount", "arv-mount"];

    /// <returns>What is left for us, and the command; null when there is no <c>--exec</c>.</returns>
    public static (string[] Ours, string[]? Exec) Split(string[] arguments)
    {
        var start = arguments is [var verb, ..] && Verbs.Contains(verb) ? Array.IndexOf(arguments, Option) : -1;
        if (start < 0)
        {
            return (arguments, null);
        }

        var end = Array.IndexOf(arguments, "--", start + 1);
        end = end < 0 ? arguments.Length : end;
        return ([.. arguments[..start], .. arguments.Skip(end + 1)], arguments[(start + 1)..end]);
    }
}
