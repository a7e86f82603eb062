using System.Diagnostics;

namespace KeepFs.Cli.Mount;

/// <summary>
/// Going into the background. A .NET process cannot fork, so it starts itself again with the same arguments in a new session and waits until that one
/// says on its standard output that it has mounted; until then its messages and its failure are passed on.
/// </summary>
internal static class Daemon
{
    /// <summary>Set for the process that stays.</summary>
    private const string Variable = "KEEPFS_MOUNT_DAEMON";
    private const string Ready = "keepfs-mounted";

    /// <summary>This is the process that stays.</summary>
    public static bool IsChild => Environment.GetEnvironmentVariable(Variable) == "1";

    /// <summary>Starts the process that stays; returns 0 when it has mounted, else its exit code.</summary>
    /// <param name="arguments">Those of this process, the verb first.</param>
    /// <param name="input">What this process read from its standard input, for the one that stays.</param>
    public static async Task<int> StartAsync(IReadOnlyList<string> arguments, string input)
    {
        var start = ThisProgram.With(arguments);
        (start.RedirectStandardInput, start.RedirectStandardOutput, start.RedirectStandardError) = (true, true, true);
        start.Environment[Variable] = "1";
        using var child = Process.Start(start)!;
        await child.StandardInput.WriteAsync(input);
        child.StandardInput.Close();
        var errors = PassOnAsync(child.StandardError);
        while (await child.StandardOutput.ReadLineAsync() is { } line)
        {
            if (line == Ready)
            {
                return 0;
            }

            Console.Out.WriteLine(line);
        }

        await errors;
        await child.WaitForExitAsync();
        return child.ExitCode == 0 ? 1 : child.ExitCode;
    }

    /// <summary>In the process that stays: before it starts work.</summary>
    public static void Detach() => Posix.NewSession();

    /// <summary>In the process that stays: it has mounted. From now on nothing can be told on the standard streams.</summary>
    public static void ReportReady()
    {
        Console.Out.WriteLine(Ready);
        Console.Out.Flush();
        Console.SetOut(TextWriter.Null);
        Console.SetError(TextWriter.Null);
        Posix.CloseStandardStreams();
    }

    private static async Task PassOnAsync(StreamReader errors)
    {
        while (await errors.ReadLineAsync() is { } line)
        {
            Console.Error.WriteLine(line);
        }
    }
}
