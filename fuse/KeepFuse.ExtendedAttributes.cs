using System.Text;
using System.Text.Unicode;
using KeepFs.Fuse.Interop;
using KeepFs.Fuse.Protocol;
using KeepFs.Fuse.Session;

namespace KeepFs.Fuse;

/// <summary>
/// Extended attributes, read-only: setting and removing them is ENOSYS, which the kernel remembers and makes ENOTSUP. Only the namespace
/// <c>user.</c> exists; others are refused without asking the tree, and in the way that makes ls ask once and not per file.
/// </summary>
internal sealed partial class KeepFuse
{
    public ValueTask GetExtendedAttributeAsync(FuseRequest request, ulong nodeId, ReadOnlySpan<byte> name, uint size)
    {
        if (!name.StartsWith("user."u8) || !Utf8.IsValid(name))
        {
            request.ReplyError(Errno.EOPNOTSUPP);
            return default;
        }

        return GetUserAttributeAsync(request, nodeId, Encoding.UTF8.GetString(name), size);
    }

    public async ValueTask ListExtendedAttributesAsync(FuseRequest request, ulong nodeId, uint size)
    {
        var attributes = await (await NodeAsync(nodeId, request.Token)).GetExtendedAttributesAsync(request.Token);
        ReplySized(request, Encoding.UTF8.GetBytes(string.Concat(attributes.Keys.Order(StringComparer.Ordinal).Select(name => name + "\0"))), size);
    }

    private async ValueTask GetUserAttributeAsync(FuseRequest request, ulong nodeId, string name, uint size)
    {
        var attributes = await (await NodeAsync(nodeId, request.Token)).GetExtendedAttributesAsync(request.Token);
        if (attributes.TryGetValue(name, out var value))
        {
            ReplySized(request, Encoding.UTF8.GetBytes(value), size);
        }
        else
        {
            request.ReplyError(Errno.ENODATA);
        }
    }

    /// <summary>Size 0 asks how much there is.</summary>
    private static void ReplySized(FuseRequest request, byte[] value, uint size)
    {
        if (size == 0)
        {
            request.Reply(new SizeOut { Size = (uint)value.Length });
        }
        else if (value.Length > size)
        {
            request.ReplyError(Errno.ERANGE);
        }
        else
        {
            request.ReplyBuffer(value);
        }
    }
}
