using System.Text;
using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Volumes.Gateway;

/// <summary>
/// Name of an object at a remote store: an S3 key, or a path below a directory. Bytes, because a file's name need not be UTF-8; equal
/// when the bytes are. Immutable.
/// </summary>
public sealed class ObjectKey : IEquatable<ObjectKey>
{
    private readonly byte[] _bytes;

    /// <summary>A key of the given bytes, which are copied.</summary>
    public ObjectKey(ReadOnlySpan<byte> bytes) => _bytes = bytes.ToArray();

    /// <summary>A key of the text's UTF-8.</summary>
    public ObjectKey(string text) => _bytes = Encoding.UTF8.GetBytes(text);

    /// <summary>The bytes, without escapes.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>Names the object's entry in the catalogue (keep-gateway.md 4.3).</summary>
    public BlockHash Hash => BlockHash.Compute(_bytes);

    /// <summary>Starts with these bytes; every key starts with the empty key.</summary>
    public bool StartsWith(ObjectKey prefix) => Bytes.StartsWith(prefix.Bytes);

    /// <inheritdoc/>
    public bool Equals(ObjectKey? other) => other is not null && Bytes.SequenceEqual(other.Bytes);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as ObjectKey);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.AddBytes(_bytes);
        return hash.ToHashCode();
    }

    /// <summary>For people and for stores whose keys are text; bytes that are not UTF-8 are replaced.</summary>
    public override string ToString() => Encoding.UTF8.GetString(_bytes);
}
