using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using KeepFs.Fuse.Interop;
using KeepFs.Fuse.Protocol;

namespace KeepFs.Fuse;

/// <summary>One answer to READDIR or READDIRPLUS in the making, in a rented buffer.</summary>
internal sealed class DirectoryPage(int size)
{
    // d_ino of a node that nobody has loaded; 0 would make the C library skip the entry.
    public const ulong UnknownInode = 0xFFFFFFFF;

    // The kernel fails a whole listing over a longer name (FUSE_NAME_MAX).
    private const int MaxNameBytes = 1024;

    private const int Alignment = 8;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly byte[] _buffer = ArrayPool<byte>.Shared.Rent(size);
    private int _used;

    /// <summary>What became of an entry: in the page, left out because the kernel cannot be told its name, or for the next page.</summary>
    public enum Added
    {
        Yes,
        Skipped,
        Full,
    }

    public ReadOnlyMemory<byte> Bytes => _buffer.AsMemory(0, _used);

    private static Attributes DotAttributes => new() { Inode = UnknownInode, Mode = OpenFlags.ModeDirectory };

    public Added AddDot(long position) => Append(null, Dots(position), DotAttributes, position + 1);

    public Added AddDotPlus(long position) => Append(new EntryOut { Attributes = DotAttributes }, Dots(position), DotAttributes, position + 1);

    public Added Add(in Attributes attributes, string text, long nextOffset)
    {
        Span<byte> name = stackalloc byte[MaxNameBytes];
        return TryEncode(text, name, out var length) ? Append(null, name[..length], attributes, nextOffset) : Added.Skipped;
    }

    public Added AddPlus(string text, in EntryOut entry, long nextOffset)
    {
        Span<byte> name = stackalloc byte[MaxNameBytes];
        return TryEncode(text, name, out var length) ? Append(entry, name[..length], entry.Attributes, nextOffset) : Added.Skipped;
    }

    public void Return() => ArrayPool<byte>.Shared.Return(_buffer);

    private static ReadOnlySpan<byte> Dots(long position) => position == 0 ? "."u8 : ".."u8;

    private Added Append(in EntryOut? entry, ReadOnlySpan<byte> name, in Attributes attributes, long nextOffset)
    {
        var needed = (entry is null ? 0 : Unsafe.SizeOf<EntryOut>()) + Unsafe.SizeOf<DirectoryEntryHeader>() + name.Length;
        needed = (needed + Alignment - 1) & ~(Alignment - 1);
        if (needed > size - _used)
        {
            return Added.Full;
        }

        var rest = _buffer.AsSpan(_used, needed);
        _used += needed;
        if (entry is { } node)
        {
            MemoryMarshal.Write(rest, node);
            rest = rest[Unsafe.SizeOf<EntryOut>()..];
        }

        MemoryMarshal.Write(rest, new DirectoryEntryHeader
        {
            Inode = attributes.Inode,
            NextOffset = nextOffset,
            NameLength = (uint)name.Length,
            Type = (attributes.Mode & OpenFlags.ModeTypeMask) >> 12,
        });
        rest = rest[Unsafe.SizeOf<DirectoryEntryHeader>()..];
        name.CopyTo(rest);
        rest[name.Length..].Clear();
        return Added.Yes;
    }

    /// <summary>False for a name that the kernel cannot be told: too long, or half of a surrogate pair.</summary>
    private static bool TryEncode(string name, Span<byte> destination, out int length)
    {
        length = 0;
        if (name.Length == 0 || name.Contains('\0', StringComparison.Ordinal))
        {
            return false;
        }

        try
        {
            return StrictUtf8.TryGetBytes(name, destination, out length);
        }
        catch (EncoderFallbackException)
        {
            return false;
        }
    }
}
