using System.Text;
using System.Text.Unicode;
using KeepFs.Fuse.Interop;
using KeepFs.Fuse.Protocol;

namespace KeepFs.Fuse.Session;

/// <summary>
/// Takes each request apart and starts its operation. What it is given comes from outside: a request that is too short for its kind is
/// answered EINVAL, one whose length is not what was read EPROTO.
/// </summary>
/// <remarks>
/// What is not listed is ENOSYS, which the kernel remembers for most and then does without: access (it allows everything; the tree enforces),
/// locks (it keeps them itself), lseek for holes, fallocate and copy_file_range (programs fall back), statx (getattr instead), tmpfile, poll.
/// </remarks>
internal static class Dispatcher
{
    private const int MaxNameBytes = 255;

    /// <summary>False when the operation goes on and keeps the buffer.</summary>
    public static bool Dispatch(FuseSession session, int device, byte[] buffer, int length)
    {
        var reader = new RequestReader(buffer.AsSpan(0, length));
        if (!reader.TryRead(out InHeader header))
        {
            session.Log($"fuse: a request of {length} bytes is too short for a header and is ignored");
            return true;
        }

        switch (header.Opcode)
        {
            case Opcode.Forget:
                if (reader.TryRead(out ForgetIn forget))
                {
                    session.Operations.Forget(header.NodeId, forget.Lookups);
                }

                return true;
            case Opcode.BatchForget:
                ForgetAll(session, ref reader);
                return true;
            case Opcode.Interrupt:
                if (reader.TryRead(out InterruptIn interrupt))
                {
                    session.Interrupted(interrupt.Unique);
                }

                return true;
            case Opcode.NotifyReply:
                return true;
        }

        var request = session.Begin(device, header);
        if (header.Length == length)
        {
            if (header.Opcode == Opcode.Write)
            {
                return Write(request, ref reader, buffer, length);
            }

            request.Run(StartAsync(request, ref reader));
        }
        else
        {
            request.Run(Answer(request, Errno.EPROTO));
        }

        return true;
    }

    private static void ForgetAll(FuseSession session, ref RequestReader reader)
    {
        if (!reader.TryRead(out BatchForgetIn batch))
        {
            return;
        }

        for (var i = 0; i < batch.Count && reader.TryRead(out ForgetOne one); i++)
        {
            session.Operations.Forget(one.NodeId, one.Lookups);
        }
    }

    private static bool Write(FuseRequest request, ref RequestReader reader, byte[] buffer, int length)
    {
        if (!reader.TryRead(out TransferIn write) || write.Size > reader.Left || write.Offset < 0)
        {
            request.Run(Answer(request, Errno.EINVAL));
            return true;
        }

        var data = buffer.AsMemory(length - reader.Left, (int)write.Size);
        return request.Run(request.Operations.WriteAsync(request, write.Handle, write.Flags, write.Offset, data), buffer);
    }

    /// <summary>Starts everything but WRITE. Nothing of the buffer is used after it returns.</summary>
    private static ValueTask StartAsync(FuseRequest request, ref RequestReader reader)
    {
        var operations = request.Operations;
        var nodeId = request.NodeId;
        switch (request.Operation)
        {
            case Opcode.Lookup:
                return TakeName(request, ref reader) is { } sought ? operations.LookupAsync(request, nodeId, sought) : default;
            case Opcode.GetAttr:
                return operations.GetAttributesAsync(request, nodeId);
            case Opcode.SetAttr when reader.TryRead(out SetAttrIn change):
                return operations.SetAttributesAsync(request, nodeId, (change.Valid & SetAttrIn.ValidSize) != 0 ? (long)change.Size : null);
            case Opcode.MkNod when reader.TryRead(out MkNodIn special):
                return TakeName(request, ref reader) is { } node ? operations.MakeNodeAsync(request, nodeId, node, special.Mode) : default;
            case Opcode.MkDir when reader.TryRead(out MkDirIn _):
                return TakeName(request, ref reader) is { } directory ? operations.MakeDirectoryAsync(request, nodeId, directory) : default;
            case Opcode.Create when reader.TryRead(out CreateIn create):
                return TakeName(request, ref reader) is { } file ? operations.CreateAsync(request, nodeId, file, create.Flags) : default;
            case Opcode.Unlink:
                return TakeName(request, ref reader) is { } removed ? operations.UnlinkAsync(request, nodeId, removed) : default;
            case Opcode.RmDir:
                return TakeName(request, ref reader) is { } empty ? operations.RemoveDirectoryAsync(request, nodeId, empty) : default;
            case Opcode.Rename when reader.TryRead(out RenameIn rename):
                return RenameAsync(request, ref reader, rename.NewParent, 0);
            case Opcode.Rename2 when reader.TryRead(out Rename2In rename):
                return RenameAsync(request, ref reader, rename.NewParent, rename.Flags);
            case Opcode.Open when reader.TryRead(out OpenIn open):
                return operations.OpenAsync(request, nodeId, open.Flags);
            case Opcode.OpenDir:
                return operations.OpenDirectoryAsync(request, nodeId);
            case Opcode.Read or Opcode.ReadDir or Opcode.ReadDirPlus when reader.TryRead(out TransferIn read):
                return ReadAsync(request, read);
            case Opcode.Flush when reader.TryRead(out HandleIn flush):
                return operations.FlushAsync(request, flush.Handle);
            case Opcode.Release when reader.TryRead(out HandleIn release):
                return operations.ReleaseAsync(request, release.Handle);
            case Opcode.ReleaseDir when reader.TryRead(out HandleIn release):
                return operations.ReleaseDirectoryAsync(request, release.Handle);
            case Opcode.FSync or Opcode.FSyncDir:
                return operations.SyncAsync(request, nodeId);
            case Opcode.CopyFileRange when reader.TryRead(out CopyFileRangeIn copy):
                return operations.CopyRangeAsync(request, copy);
            case Opcode.StatFs:
                return operations.StatFsAsync(request);
            case Opcode.GetXAttr when reader.TryRead(out GetXAttrIn get) && reader.TryReadName(out var attribute):
                return operations.GetExtendedAttributeAsync(request, nodeId, attribute, get.Size);
            case Opcode.ListXAttr when reader.TryRead(out GetXAttrIn list):
                return operations.ListExtendedAttributesAsync(request, nodeId, list.Size);
            default:
                return Answer(request, Refusal(request.Operation));
        }
    }

    /// <summary>What a request gets that has no operation here, or was too short for it.</summary>
    private static int Refusal(Opcode operation) => operation switch
    {
        // A manifest cannot hold links (spec decision 18).
        Opcode.Symlink or Opcode.Link => Errno.EOPNOTSUPP,
        Opcode.IoCtl => Errno.ENOTTY,
        Opcode.Destroy => Errno.Ok,

        // It comes once, before the threads start.
        Opcode.Init => Errno.EPROTO,
        Opcode.SetAttr or Opcode.MkNod or Opcode.MkDir or Opcode.Create or Opcode.Rename or Opcode.Rename2 or Opcode.Open or Opcode.Read
            or Opcode.ReadDir or Opcode.ReadDirPlus or Opcode.Flush or Opcode.Release or Opcode.ReleaseDir or Opcode.GetXAttr
            or Opcode.ListXAttr or Opcode.CopyFileRange => Errno.EINVAL,
        _ => Errno.ENOSYS,
    };

    private static ValueTask ReadAsync(FuseRequest request, in TransferIn read)
    {
        // The upper bound is what INIT agreed on.
        if (read.Offset < 0 || read.Size > Negotiation.MaxTransferBytes)
        {
            return Answer(request, Errno.EINVAL);
        }

        var operations = request.Operations;
        var size = (int)read.Size;
        return request.Operation switch
        {
            Opcode.Read => operations.ReadAsync(request, read.Handle, read.Offset, size),
            Opcode.ReadDir => operations.ReadDirectoryAsync(request, read.Handle, read.Offset, size),
            _ => operations.ReadDirectoryPlusAsync(request, request.NodeId, read.Handle, read.Offset, size),
        };
    }

    private static ValueTask RenameAsync(FuseRequest request, ref RequestReader reader, ulong newParent, uint flags) =>
        TakeName(request, ref reader) is { } name && TakeName(request, ref reader) is { } newName
            ? request.Operations.RenameAsync(request, request.NodeId, name, newParent, newName, flags)
            : default;

    /// <summary>A name; null when there is none or it cannot be one of ours, which is then answered.</summary>
    private static string? TakeName(FuseRequest request, ref RequestReader reader)
    {
        if (!reader.TryReadName(out var name))
        {
            request.ReplyError(Errno.EINVAL);
        }
        else if (name.Length > MaxNameBytes)
        {
            request.ReplyError(Errno.ENAMETOOLONG);
        }
        else if (!Utf8.IsValid(name))
        {
            request.ReplyError(Errno.EILSEQ);
        }
        else
        {
            return Encoding.UTF8.GetString(name);
        }

        return null;
    }

    private static ValueTask Answer(FuseRequest request, int errno)
    {
        request.ReplyError(errno);
        return default;
    }
}
