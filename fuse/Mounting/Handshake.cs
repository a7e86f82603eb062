using System.Runtime.InteropServices;
using KeepFs.Fuse.Interop;
using KeepFs.Fuse.Protocol;

namespace KeepFs.Fuse.Mounting;

/// <summary>The kernel's first request, INIT, which comes once per mount.</summary>
internal static unsafe class Handshake
{
    // The kernel refuses to hand out requests to smaller buffers.
    private const int BufferBytes = 8192 + Negotiation.MaxTransferBytes;

    /// <summary>Waits for INIT, agrees and answers; blocks.</summary>
    public static Negotiation Perform(FuseDevice device, FuseMountOptions options)
    {
        var buffer = (byte*)NativeMemory.Alloc(BufferBytes);
        try
        {
            var length = Receive(device, buffer);
            if (!Negotiation.TryParse(new ReadOnlySpan<byte>(buffer, length), out var header, out var agreed, out var offered))
            {
                throw new FuseMountException(
                    $"The kernel speaks FUSE protocol {offered.Major}.{offered.Minor}; {Negotiation.Major}.{Negotiation.OldestMinor} or newer is needed (Linux 3.15).");
            }

            var answer = new Answer
            {
                Header = { Length = (uint)sizeof(Answer), Unique = header.Unique },
                Init = agreed.Answer(offered, options),
            };
            return LibC.Write(device.Descriptor, (byte*)&answer, (nuint)sizeof(Answer)) == sizeof(Answer)
                ? agreed
                : throw Broken("answered");
        }
        finally
        {
            NativeMemory.Free(buffer);
        }
    }

    private static int Receive(FuseDevice device, byte* buffer)
    {
        while (true)
        {
            var length = LibC.Read(device.Descriptor, buffer, BufferBytes);
            if (length >= 0)
            {
                return (int)length;
            }

            if (Marshal.GetLastPInvokeError() is not (Errno.EINTR or Errno.EAGAIN or Errno.ENOENT))
            {
                throw Broken("received");
            }
        }
    }

    private static FuseMountException Broken(string verb) =>
        new($"The kernel's first request could not be {verb}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}.");

    [StructLayout(LayoutKind.Sequential)]
    private struct Answer
    {
        public OutHeader Header;
        public InitOut Init;
    }
}
