using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace KeepFs.Fuse.Protocol;

/// <summary>
/// Takes a request apart, bytes from outside: every step checks what is left and answers false when it is too short, and nothing after
/// that is to be used.
/// </summary>
internal ref struct RequestReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    public readonly int Left => _rest.Length;

    public bool TryRead<T>(out T value)
        where T : unmanaged
    {
        if (_rest.Length < Unsafe.SizeOf<T>())
        {
            value = default;
            return false;
        }

        value = MemoryMarshal.Read<T>(_rest);
        _rest = _rest[Unsafe.SizeOf<T>()..];
        return true;
    }

    /// <summary>A name that ends with NUL, without it; not empty.</summary>
    public bool TryReadName(out ReadOnlySpan<byte> name)
    {
        var end = _rest.IndexOf((byte)0);
        if (end <= 0)
        {
            name = default;
            return false;
        }

        name = _rest[..end];
        _rest = _rest[(end + 1)..];
        return true;
    }
}
