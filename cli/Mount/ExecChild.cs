using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace KeepFs.Cli.Mount;

/// <summary>The program of <c>--exec</c>: it has our terminal, gets the signals that we get, and its exit code becomes ours.</summary>
internal static class ExecChild
{
    private const int CouldNotRun = 255;

    /// <summary>Runs it to its end. 128 + N when signal N ended it; the errno, or 255, when it could not be started.</summary>
    public static async Task<int> RunAsync(IReadOnlyList<string> command)
    {
        Process process;
        try
        {
            process = Process.Start(new ProcessStartInfo(command[0], command.Skip(1)) { UseShellExecute = false })!;
        }
        catch (Win32Exception e)
        {
            Console.Error.WriteLine($"keepfs: \"{command[0]}\" could not be started: {e.Message}");
            return e.NativeErrorCode is > 0 and < CouldNotRun ? e.NativeErrorCode : CouldNotRun;
        }

        using (process)
        {
            void Forward(PosixSignalContext context)
            {
                // Ours to go on: the mount must stay until the program is done with it.
                context.Cancel = true;
                Posix.Signal(process.Id, context.Signal);
            }

            using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Forward);
            using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Forward);
            using var quit = PosixSignalRegistration.Create(PosixSignal.SIGQUIT, Forward);
            await process.WaitForExitAsync();
            return process.ExitCode;
        }
    }
}
