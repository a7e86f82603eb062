using System.Runtime.InteropServices;

namespace KeepFs.Cli.Mount;

/// <summary>The system calls of a daemon and of a program that runs another one.</summary>
internal static partial class Posix
{
    private const int ReadWrite = 2;
    private const int ForceFlag = 1;
    private const int DetachFlag = 2;

    /// <summary>Leaves the terminal's session, so that closing the terminal does not end us.</summary>
    public static void NewSession() => _ = SetSid();

    public static void Signal(int processId, PosixSignal signal) => _ = Kill(processId, signal switch
    {
        PosixSignal.SIGHUP => 1,
        PosixSignal.SIGINT => 2,
        PosixSignal.SIGQUIT => 3,
        > 0 => (int)signal,
        _ => 15,
    });

    /// <summary>Standard input, output and error become /dev/null: whoever waits for their end gets it.</summary>
    public static void CloseStandardStreams()
    {
        var nothing = Open("/dev/null", ReadWrite);
        for (var descriptor = 0; descriptor <= 2 && nothing >= 0; descriptor++)
        {
            _ = Dup2(nothing, descriptor);
        }
    }

    /// <summary>Cuts off whoever waits for the mount and takes it out of the tree; does nothing without the privilege.</summary>
    public static void ForceUnmount(string path) => _ = Unmount(path, ForceFlag | DetachFlag);

    [LibraryImport("libc", EntryPoint = "umount2", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Unmount(string path, int flags);

    [LibraryImport("libc", EntryPoint = "setsid")]
    private static partial int SetSid();

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int processId, int signal);

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "dup2")]
    private static partial int Dup2(int from, int to);
}
