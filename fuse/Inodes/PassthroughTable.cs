using System.Runtime.InteropServices;
using KeepFs.Fuse.Interop;
using KeepFs.Fuse.Protocol;
using Microsoft.Win32.SafeHandles;

namespace KeepFs.Fuse.Inodes;

/// <summary>
/// Which files the kernel reads from a local file instead of asking (FUSE_PASSTHROUGH). While a file is open so, the kernel takes each
/// further open of it only with the same backing file, and while it is open in the usual way, not at all; so the handles are counted per
/// node. Only files that cannot be changed through this mount are passed through: an open handle goes on reading the bytes it was opened
/// with. Switches itself off when the kernel or the privileges (CAP_SYS_ADMIN) refuse. Safe for concurrent use.
/// </summary>
internal sealed class PassthroughTable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<ulong, Mode> _modes = [];
    private bool _isOn;
    private int _device = -1;

    /// <summary>Files open in passthrough now, for tests and statistics.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _modes.Values.Count(mode => mode.BackingId > 0);
            }
        }
    }

    /// <summary>Starts using it; before, and without, every open is in the usual way.</summary>
    public void SwitchOn(int device)
    {
        lock (_lock)
        {
            (_isOn, _device) = (true, device);
        }
    }

    /// <summary>Counts a handle that a process before this one gave out.</summary>
    public void Adopt(ulong nodeId, int backingId)
    {
        lock (_lock)
        {
            ref var mode = ref CollectionsMarshal.GetValueRefOrAddDefault(_modes, nodeId, out _);
            mode = new Mode(backingId, default, mode.Handles + 1);
        }
    }

    /// <summary>
    /// Decides how a handle is to be opened and counts it; <see cref="Closed"/> must follow. Null when it cannot be opened now, because it
    /// would let the program write into the backing file.
    /// </summary>
    public (OpenReplyFlags Flags, int BackingId)? Opened(ulong nodeId, FileAccess access, bool isWritable, SafeFileHandle? backing)
    {
        lock (_lock)
        {
            if (!_isOn)
            {
                return (OpenReplyFlags.KeepCache, 0);
            }

            ref var mode = ref CollectionsMarshal.GetValueRefOrAddDefault(_modes, nodeId, out var isOpen);
            var identity = backing is null || access != FileAccess.Read ? default : LibC.IdentityOf(backing);
            if (isOpen && mode.BackingId > 0)
            {
                if (access == FileAccess.ReadWrite)
                {
                    // It could be mapped, and a mapping always is one of the backing file.
                    return null;
                }

                mode.Handles++;

                // With other bytes than the kernel reads, it has to ask.
                var isSame = identity == mode.Identity && identity != default;
                return (OpenReplyFlags.Passthrough | (isSame ? OpenReplyFlags.None : OpenReplyFlags.DirectIo), mode.BackingId);
            }

            if (!isOpen && identity != default && !isWritable)
            {
                mode.BackingId = Register(backing!);
                mode.Identity = identity;
            }

            mode.Handles++;
            return mode.BackingId > 0 ? (OpenReplyFlags.Passthrough, mode.BackingId) : (OpenReplyFlags.KeepCache, 0);
        }
    }

    /// <summary>A handle that was counted is closed, or was never delivered.</summary>
    public void Closed(ulong nodeId)
    {
        lock (_lock)
        {
            if (!_modes.TryGetValue(nodeId, out var mode))
            {
                return;
            }

            if (mode.Handles > 1)
            {
                _modes[nodeId] = mode with { Handles = mode.Handles - 1 };
                return;
            }

            _modes.Remove(nodeId);
            if (mode.BackingId > 0)
            {
                Unregister(mode.BackingId);
            }
        }
    }

    private unsafe int Register(SafeFileHandle backing)
    {
        var isTaken = false;
        try
        {
            backing.DangerousAddRef(ref isTaken);
            var map = new BackingMap { Descriptor = (int)backing.DangerousGetHandle() };
            var id = LibC.IoControl(_device, LibC.DeviceBackingOpen, &map);
            if (id <= 0)
            {
                // Not root, an old kernel, or a cache on a file system that is itself stacked: it will not change, so do not ask again.
                _isOn = _modes.Values.Any(mode => mode.BackingId > 0);
                return 0;
            }

            return id;
        }
        finally
        {
            if (isTaken)
            {
                backing.DangerousRelease();
            }
        }
    }

    private unsafe void Unregister(int backingId)
    {
        var id = (uint)backingId;
        _ = LibC.IoControl(_device, LibC.DeviceBackingClose, &id);
    }

    /// <param name="BackingId">0 while open in the usual way.</param>
    /// <param name="Identity">Device and inode of the backing file; default when a process before this one opened it.</param>
    /// <param name="Handles">Open handles.</param>
    private record struct Mode(int BackingId, (ulong Device, ulong Inode) Identity, int Handles)
    {
        public int BackingId { get; set; } = BackingId;

        public (ulong Device, ulong Inode) Identity { get; set; } = Identity;

        public int Handles { get; set; } = Handles;
    }
}
