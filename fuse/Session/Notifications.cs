using System.Runtime.InteropServices;
using System.Text;
using KeepFs.Fuse.Interop;
using KeepFs.Fuse.Protocol;

namespace KeepFs.Fuse.Session;

/// <summary>Messages to the kernel that no request asked for. Each returns 0 or an errno, and may wait for locks of the kernel.</summary>
internal static unsafe class Notifications
{
    // FUSE_NAME_MAX.
    private const int MaxNameBytes = 1024;

    /// <summary>Attributes, data and kept listing of the node are asked for again. ENOENT: the kernel does not know it.</summary>
    public static int InvalidateInode(int device, ulong nodeId)
    {
        var message = new InodeMessage
        {
            Header = { Length = (uint)sizeof(InodeMessage), Error = (int)Notification.InvalidateInode },
            Body = { NodeId = nodeId },
        };
        return Send(device, &message, message.Header.Length);
    }

    /// <summary>The name is looked up again. ENOENT: the kernel has no such name.</summary>
    public static int InvalidateEntry(int device, ulong parent, string name)
    {
        var length = Encoding.UTF8.GetByteCount(name);
        if (length > MaxNameBytes)
        {
            // The kernel was never told such a name.
            return Errno.ENOENT;
        }

        var size = sizeof(EntryMessage) + length + 1;
        var buffer = stackalloc byte[size];
        *(EntryMessage*)buffer = new EntryMessage
        {
            Header = { Length = (uint)size, Error = (int)Notification.InvalidateEntry },
            Body = { Parent = parent, NameLength = (uint)length },
        };
        Encoding.UTF8.GetBytes(name, new Span<byte>(buffer + sizeof(EntryMessage), length));
        buffer[size - 1] = 0;
        return Send(device, buffer, (uint)size);
    }

    /// <summary>Every request that was read and not answered, by whatever process, is handed out again.</summary>
    public static int Resend(int device)
    {
        var header = new OutHeader { Length = (uint)sizeof(OutHeader), Error = (int)Notification.Resend };
        return Send(device, &header, header.Length);
    }

    private static int Send(int device, void* message, uint length) =>
        LibC.Write(device, (byte*)message, length) >= 0 ? Errno.Ok : Marshal.GetLastPInvokeError();

    [StructLayout(LayoutKind.Sequential)]
    private struct InodeMessage
    {
        public OutHeader Header;
        public InvalidateInodeOut Body;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct EntryMessage
    {
        public OutHeader Header;
        public InvalidateEntryOut Body;
    }
}
