using System.Diagnostics;
using System.Reflection;

namespace KeepFs.Cli;

/// <summary>This executable, for starting it again in a process of its own.</summary>
internal static class ThisProgram
{
    /// <summary>The command line that runs it with these arguments, whether it was started directly or through <c>dotnet</c>.</summary>
    /// <exception cref="CommandException">The kernel does not tell its path.</exception>
    public static string[] CommandLine(IEnumerable<string> arguments)
    {
        var program = Environment.ProcessPath ?? throw new CommandException("The path of this program is not known, so it cannot be started again.");
        return Path.GetFileNameWithoutExtension(program) == "dotnet" ? [program, Assembly.GetEntryAssembly()!.Location, .. arguments] : [program, .. arguments];
    }

    /// <summary>The same to be started. The first argument is the verb; the name that this process was started under does not count.</summary>
    public static ProcessStartInfo With(IEnumerable<string> arguments)
    {
        var line = CommandLine(arguments);
        var start = new ProcessStartInfo(line[0], line[1..]);
        start.Environment.Remove(InvokedName.Variable);
        return start;
    }
}
