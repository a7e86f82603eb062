using System.CommandLine;
using System.Runtime.InteropServices;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Catalog;
using KeepFs.Engine.FileSystems;
using KeepFs.Engine.Manifests;
using KeepFs.Fuse;
using KeepFs.Hosting.Configuration;

namespace KeepFs.Cli;

/// <summary>Runs a verb: SIGTERM and Ctrl-C cancel it, failures become one clear line and an exit code.</summary>
internal static class CommandRunner
{
    private const int Cancelled = 130;
    private static readonly TimeSpan InsistAfter = TimeSpan.FromSeconds(2);

    public static async Task<int> RunAsync(RootCommand root, string[] args)
    {
        using var stop = new CancellationTokenSource();
        long? stoppedAt = null;
        void Stop(PosixSignalContext context)
        {
            // The process ends when the verb has cleaned up, not now. A later second signal insists; one that comes at once is the same
            // one again, as supervisors and `timeout` send it to both the process and its group. A verb that handles signals itself (they
            // belong to the program that it runs) has said so already: its handlers come first.
            stoppedAt ??= TimeProvider.System.GetTimestamp();
            context.Cancel |= TimeProvider.System.GetElapsedTime(stoppedAt.Value) < InsistAfter;
            stop.Cancel();
        }

        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var quit = PosixSignalRegistration.Create(PosixSignal.SIGQUIT, Stop);
        try
        {
            return await root.Parse(args).InvokeAsync(
                new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null }, stop.Token);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return Cancelled;
        }
        catch (CommandException e)
        {
            return Fail(e.Message, e.ExitCode);
        }
        catch (Exception e) when (e is KeepException or CatalogException or FsException or ManifestException or ConfigException or FuseMountException or IOException or InvalidDataException or UnauthorizedAccessException)
        {
            return Fail(e.Message, 1);
        }
    }

    private static int Fail(string message, int exitCode)
    {
        Console.Error.WriteLine("keepfs: " + message);
        return exitCode;
    }
}
