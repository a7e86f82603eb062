using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using KeepFs.Fuse.Interop;

namespace KeepFs.Fuse.Mounting;

/// <summary>
/// Mounting for ordinary users: the setuid program fusermount3 (package fuse3) mounts and sends the device back over a socket that it
/// inherits.
/// </summary>
internal static unsafe class UserMount
{
    public const string Program = "fusermount3";
    private const string SocketVariable = "_FUSE_COMMFD";

    public static FuseDevice Mount(string options, string mountPoint)
    {
        var ends = stackalloc int[2];
        if (LibC.SocketPair(LibC.SocketUnix, LibC.SocketStream, 0, ends) != 0)
        {
            throw new FuseMountException($"socketpair failed: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}.");
        }

        var (mine, its) = (ends[0], ends[1]);
        try
        {
            var message = Run(options, mountPoint, ref its);
            var descriptor = Receive(mine);
            return descriptor >= 0
                ? new FuseDevice(descriptor)
                : throw new FuseMountException(
                    $"Mounting at {mountPoint} failed: {(message.Length > 0 ? message : $"{Program} gave no reason")}. {Program} must be " +
                    $"setuid root (package fuse3) and {FuseDevice.Path} open to everybody (chmod 666 {FuseDevice.Path}).");
        }
        finally
        {
            _ = LibC.Close(mine);
            CloseOnce(ref its);
        }
    }

    /// <summary>Its messages, when it has ended. The device waits in the socket.</summary>
    private static string Run(string options, string mountPoint, ref int socket)
    {
        var start = new ProcessStartInfo(Program, ["-o", options, "--", mountPoint]) { RedirectStandardError = true };
        start.Environment[SocketVariable] = socket.ToString(CultureInfo.InvariantCulture);
        try
        {
            using var process = Process.Start(start)!;
            CloseOnce(ref socket);
            var message = process.StandardError.ReadToEnd();
            process.WaitForExit();
            return message.Trim();
        }
        catch (Win32Exception exception)
        {
            throw new FuseMountException($"{Program} cannot be started ({exception.Message}). Install the package fuse3.", exception);
        }
    }

    private static int Receive(int socket)
    {
        byte ignored;
        var vector = new IoVector { Base = &ignored, Length = 1 };
        DescriptorMessage control = default;
        var message = new MessageHeader { Vectors = &vector, VectorCount = 1, Control = &control, ControlLength = (nuint)sizeof(DescriptorMessage) };
        const int CloseOnExec = 0x40000000;
        return LibC.ReceiveMessage(socket, &message, CloseOnExec) > 0 && control is { Level: LibC.SocketLevel, Type: LibC.SendRights }
            ? control.Descriptor
            : -1;
    }

    private static void CloseOnce(ref int descriptor)
    {
        if (descriptor >= 0)
        {
            _ = LibC.Close(descriptor);
            descriptor = -1;
        }
    }
}
