using System.CommandLine;
using KeepFs.Cli.Demo;

namespace KeepFs.Cli.Verbs;

/// <summary><c>keepfs demo</c>: stores a directory and reads every byte back in three ways.</summary>
internal static class DemoCommand
{
    public static Command Create()
    {
        var directory = new Argument<string?>("DIR") { Description = "Directory to store (default: the .NET SDK's own).", Arity = ArgumentArity.ZeroOrOne };
        var keep = new Option<string?>("--data") { Description = "Use this folder instead of a temporary one, and keep it." };
        var command = new Command("demo", "Store a directory on two keepstores; read it back by get, mount and WebDAV; compare every byte.") { directory, keep };
        command.SetAction(async (parsed, cancellationToken) => await DemoRun.RunAsync(parsed.GetValue(directory) ?? SdkDirectory(), parsed.GetValue(keep), cancellationToken));
        return command;
    }

    /// <summary>DOTNET_ROOT, or where the running framework came from: .../shared/Microsoft.NETCore.App/VERSION.</summary>
    private static string SdkDirectory()
    {
        var runtime = System.Runtime.InteropServices.RuntimeEnvironment.GetRuntimeDirectory().TrimEnd('/');
        return Path.GetFullPath(Path.Combine(runtime, "..", "..", ".."));
    }
}
