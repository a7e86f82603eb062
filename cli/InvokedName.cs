namespace KeepFs.Cli;

/// <summary>
/// Under which name the program was started (spec decision 11), and the arguments as System.CommandLine must get them: what follows
/// <c>keepstore</c> is in Go's syntax and goes through untouched.
/// </summary>
internal static class InvokedName
{
    /// <summary>Set by the script ./keepfs when it was started through a link.</summary>
    public const string Variable = "KEEPFS_INVOKED_AS";

    private const string Keepstore = "keepstore";
    private const string ArvMount = "arv-mount";

    /// <summary>The path or name, as the user gave it.</summary>
    public static string Find() => Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } name ? name : FromKernel();

    /// <param name="arguments">As given.</param>
    /// <param name="name">See <see cref="Find"/>.</param>
    public static string[] Prepare(string[] arguments, string name) =>
        Path.GetFileName(name) == Keepstore ? [Keepstore, "--", .. arguments]
        : Path.GetFileName(name) == ArvMount ? [ArvMount, .. arguments]
        : arguments is [Keepstore, .. var flags] ? [Keepstore, "--", .. flags]
        : arguments;

    /// <summary>Environment.GetCommandLineArgs names the assembly, which a link does not change.</summary>
    private static string FromKernel()
    {
        try
        {
            return File.ReadAllText("/proc/self/cmdline").Split('\0')[0];
        }
        catch (IOException)
        {
            return "";
        }
    }
}
