using System.Buffers.Binary;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace KeepFs.Fuse.Takeover;

/// <summary>
/// The state of a mount as a log in one of two memory files that outlive the process, because the holder has them open too: the one with the
/// higher generation counts, and the other takes the next compaction. Appended with one write per record, so that a process that is killed
/// loses at most a record that was never acted upon.
/// </summary>
/// <remarks>
/// A file is a header (generation, epoch) and records: a byte of kind, numbers of 8 bytes little-endian, and for a name its length in 2 bytes
/// and UTF-8. A generation of 0 is a file that is not ready. Costs one system call per answer that names a node, and 30 to 60 bytes per node.
/// </remarks>
internal sealed class StateLog : IStateLog
{
    private const int HeaderBytes = 16;
    private const int MaxRecordBytes = 1 + (4 * 8) + (2 * (2 + MaxNameBytes));

    // Names of the tree may be longer than the kernel's own.
    private const int MaxNameBytes = 4096;

    // Compaction starts when the log has grown to this multiple of what it was compacted to, and not below the least.
    private const int GrowthBeforeCompaction = 4;
    private const long LeastBytesBeforeCompaction = 4 << 20;

    private readonly Lock _lock = new();
    private readonly SafeFileHandle[] _files;
    private readonly byte[] _record = new byte[MaxRecordBytes];
    private readonly ushort _epoch;
    private int _current;
    private ulong _generation;
    private long _length;
    private long _compactAt;

    private StateLog(SafeFileHandle[] files, int current, ulong generation, ushort epoch) =>
        (_files, _current, _generation, _epoch) = (files, current, generation, epoch);

    private enum Kind : byte
    {
        Named = 1,
        NamedAgain,
        Forgotten,
        Removed,
        Renamed,
        Opened,
        Closed,
        NamedOften,
        CountedNameless,
    }

    /// <summary>Reads what the process before left, and starts a log of this process with it.</summary>
    /// <param name="first">One memory file.</param>
    /// <param name="second">The other one.</param>
    /// <param name="state">The state to go on from.</param>
    public static StateLog Open(SafeFileHandle first, SafeFileHandle second, out MountState state)
    {
        SafeFileHandle[] files = [first, second];
        var headers = files.Select(ReadHeader).ToArray();
        var current = headers[0].Generation >= headers[1].Generation ? 0 : 1;
        var isFirst = headers[current].Generation == 0;
        var epoch = isFirst ? (ushort)0 : checked((ushort)(headers[current].Epoch + 1));
        state = Replay(files[current], epoch);
        var log = new StateLog(files, current, headers[current].Generation, epoch);
        log.Compact(state);
        return log;
    }

    /// <inheritdoc/>
    public void Named(ulong nodeId, ulong parent, string name)
    {
        lock (_lock)
        {
            var at = Number(Number(Begin(Kind.Named), nodeId), parent);
            Append(Name(at, name));
        }
    }

    /// <inheritdoc/>
    public void NamedAgain(ulong nodeId)
    {
        lock (_lock)
        {
            Append(Number(Begin(Kind.NamedAgain), nodeId));
        }
    }

    /// <inheritdoc/>
    public void Forgotten(ulong nodeId, ulong lookups)
    {
        lock (_lock)
        {
            Append(Number(Number(Begin(Kind.Forgotten), nodeId), lookups));
        }
    }

    /// <inheritdoc/>
    public void Removed(ulong parent, string name)
    {
        lock (_lock)
        {
            Append(Name(Number(Begin(Kind.Removed), parent), name));
        }
    }

    /// <inheritdoc/>
    public void Renamed(ulong parent, string name, ulong newParent, string newName)
    {
        lock (_lock)
        {
            var at = Name(Number(Begin(Kind.Renamed), parent), name);
            Append(Name(Number(at, newParent), newName));
        }
    }

    /// <inheritdoc/>
    public void Opened(ulong handle, in StateHandle open)
    {
        lock (_lock)
        {
            Append(Opening(handle, open));
        }
    }

    /// <inheritdoc/>
    public void Closed(ulong handle)
    {
        lock (_lock)
        {
            Append(Number(Begin(Kind.Closed), handle));
        }
    }

    private int Opening(ulong handle, in StateHandle open) =>
        Number(Number(Number(Number(Begin(Kind.Opened), handle), open.NodeId), (uint)open.Flags), (uint)open.BackingId);

    private int Begin(Kind kind)
    {
        _record[0] = (byte)kind;
        return 1;
    }

    private int Number(int at, ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(_record.AsSpan(at), value);
        return at + 8;
    }

    private int Name(int at, string name)
    {
        // A longer name is never told to the kernel; cut, it means nothing, which is what such a node is then.
        var bytes = Math.Min(Encoding.UTF8.GetByteCount(name), MaxNameBytes);
        if (!Encoding.UTF8.TryGetBytes(name, _record.AsSpan(at + 2, MaxNameBytes), out bytes))
        {
            bytes = 0;
        }

        BinaryPrimitives.WriteUInt16LittleEndian(_record.AsSpan(at), (ushort)bytes);
        return at + 2 + bytes;
    }

    private void Append(int bytes)
    {
        RandomAccess.Write(_files[_current], _record.AsSpan(0, bytes), _length);
        _length += bytes;
        if (_length >= _compactAt)
        {
            Compact(Replay(_files[_current], _epoch));
        }
    }

    /// <summary>Writes the state into the file that does not count, makes it the one that does and empties the other.</summary>
    private void Compact(MountState state)
    {
        var target = _files[1 - _current];
        RandomAccess.SetLength(target, 0);
        using (var buffer = new MemoryStream())
        {
            _length = HeaderBytes;
            foreach (var (nodeId, node) in state.Nodes)
            {
                var at = node.Name is null
                    ? Number(Number(Begin(Kind.CountedNameless), nodeId), node.Lookups)
                    : Name(Number(Number(Number(Begin(Kind.NamedOften), nodeId), node.Lookups), node.Parent), node.Name);
                Collect(buffer, target, at);
            }

            foreach (var (handle, open) in state.Handles)
            {
                Collect(buffer, target, Opening(handle, open));
            }

            Flush(buffer, target);
        }

        // Now it is whole, it counts.
        Span<byte> header = stackalloc byte[HeaderBytes];
        header.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(header, ++_generation);
        BinaryPrimitives.WriteUInt16LittleEndian(header[8..], _epoch);
        RandomAccess.Write(target, header, 0);
        RandomAccess.SetLength(_files[_current], 0);
        _current = 1 - _current;
        _compactAt = Math.Max(LeastBytesBeforeCompaction, _length * GrowthBeforeCompaction);
    }

    private void Collect(MemoryStream buffer, SafeFileHandle target, int bytes)
    {
        const int BatchBytes = 1 << 20;
        buffer.Write(_record, 0, bytes);
        if (buffer.Length >= BatchBytes)
        {
            Flush(buffer, target);
        }
    }

    private void Flush(MemoryStream buffer, SafeFileHandle target)
    {
        RandomAccess.Write(target, buffer.GetBuffer().AsSpan(0, (int)buffer.Length), _length);
        _length += buffer.Length;
        buffer.SetLength(0);
    }

    private static (ulong Generation, ushort Epoch) ReadHeader(SafeFileHandle file)
    {
        Span<byte> header = stackalloc byte[HeaderBytes];
        return RandomAccess.Read(file, header, 0) == HeaderBytes
            ? (BinaryPrimitives.ReadUInt64LittleEndian(header), BinaryPrimitives.ReadUInt16LittleEndian(header[8..]))
            : (0, (ushort)0);
    }

    private static MountState Replay(SafeFileHandle file, ushort epoch)
    {
        var state = new MountState { Epoch = epoch };
        const int BatchBytes = 1 << 20;
        var buffer = new byte[BatchBytes + MaxRecordBytes];
        var used = 0;
        var offset = (long)HeaderBytes;
        while (true)
        {
            var read = RandomAccess.Read(file, buffer.AsSpan(used), offset);
            offset += read;
            used += read;
            var rest = buffer.AsSpan(0, used);
            while (TryReplay(state, ref rest))
            {
            }

            rest.CopyTo(buffer);
            used = rest.Length;
            if (read == 0)
            {
                // What is left was cut off when its writer died, before anybody acted upon it.
                return state;
            }
        }
    }

    /// <summary>False when there is no whole record.</summary>
    private static bool TryReplay(MountState state, ref Span<byte> rest)
    {
        var reader = new RecordReader(rest);
        var kind = (Kind)reader.Byte();
        switch (kind)
        {
            case Kind.Named:
                var (namedNode, namedParent, named) = (reader.Number(), reader.Number(), reader.Name());
                if (reader.IsWhole)
                {
                    state.Named(namedNode, namedParent, named, 1);
                }

                break;
            case Kind.NamedOften:
                var (node, lookups, parent, name) = (reader.Number(), reader.Number(), reader.Number(), reader.Name());
                if (reader.IsWhole)
                {
                    state.Named(node, parent, name, lookups);
                }

                break;
            case Kind.CountedNameless:
                var (nameless, count) = (reader.Number(), reader.Number());
                if (reader.IsWhole)
                {
                    state.Nodes[nameless] = new StateNode(0, null, count);
                }

                break;
            case Kind.NamedAgain:
                var again = reader.Number();
                if (reader.IsWhole)
                {
                    state.Counted(again);
                }

                break;
            case Kind.Forgotten:
                var (forgotten, taken) = (reader.Number(), reader.Number());
                if (reader.IsWhole)
                {
                    state.Forgotten(forgotten, taken);
                }

                break;
            case Kind.Removed:
                var (removedParent, removed) = (reader.Number(), reader.Name());
                if (reader.IsWhole)
                {
                    state.Removed(removedParent, removed);
                }

                break;
            case Kind.Renamed:
                var (fromParent, from, toParent, to) = (reader.Number(), reader.Name(), reader.Number(), reader.Name());
                if (reader.IsWhole)
                {
                    state.Renamed(fromParent, from, toParent, to);
                }

                break;
            case Kind.Opened:
                var (handle, opened, flags, backing) = (reader.Number(), reader.Number(), reader.Number(), reader.Number());
                if (reader.IsWhole)
                {
                    state.Handles[handle] = new StateHandle(opened, (int)flags, (int)backing);
                }

                break;
            case Kind.Closed:
                var closed = reader.Number();
                if (reader.IsWhole)
                {
                    state.Handles.Remove(closed);
                }

                break;
            default:
                return false;
        }

        rest = reader.IsWhole ? reader.Rest : rest;
        return reader.IsWhole;
    }

    private ref struct RecordReader(Span<byte> bytes)
    {
        private bool _isShort;

        public Span<byte> Rest { get; private set; } = bytes;

        public readonly bool IsWhole => !_isShort;

        public byte Byte() => Take(1) is [var value] ? value : (byte)0;

        public ulong Number() => Take(8) is { Length: 8 } bytes ? BinaryPrimitives.ReadUInt64LittleEndian(bytes) : 0;

        public string Name() =>
            Take(2) is { Length: 2 } length ? Encoding.UTF8.GetString(Take(BinaryPrimitives.ReadUInt16LittleEndian(length))) : string.Empty;

        private Span<byte> Take(int count)
        {
            if (_isShort || Rest.Length < count)
            {
                _isShort = true;
                return default;
            }

            var taken = Rest[..count];
            Rest = Rest[count..];
            return taken;
        }
    }
}
