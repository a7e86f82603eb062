using System.Buffers;
using System.Globalization;
using System.Text;
using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Volumes.Gateway;

/// <summary>An object as a scan last read it (keep-gateway.md 4.3). Immutable.</summary>
/// <param name="Info">Name, size and version.</param>
/// <param name="Segments">In order, without gaps; one of length 0 for an empty object.</param>
public sealed record CataloguedObject(ObjectInfo Info, IReadOnlyList<ObjectSegment> Segments);

/// <summary>A part of an object and its hash.</summary>
public readonly record struct ObjectSegment(long Offset, int Length, BlockHash Hash);

/// <summary>
/// One small file per known object, so that a later scan reads only what has changed. Nothing else depends on it: losing it costs a scan.
/// Calls block; one scan at a time.
/// </summary>
public sealed class ObjectCatalogue
{
    private readonly GatewayFiles _files;

    internal ObjectCatalogue(GatewayFiles files) => _files = files;

    /// <summary>The entry of an object; null when there is none or it cannot be understood.</summary>
    public CataloguedObject? Find(ObjectKey key) => Read(_files.ObjectEntry(key.Hash)) is { } entry && entry.Info.Key.Equals(key) ? entry : null;

    /// <summary>Replaces an entry.</summary>
    public void Put(CataloguedObject entry)
    {
        var text = new ArrayBufferWriter<byte>();
        GatewayLine.WriteEscaped(text, entry.Info.Key.Bytes);
        var lines = new StringBuilder().Append(CultureInfo.InvariantCulture, $"\n{entry.Info.SizeBytes} {entry.Info.ETag} {entry.Info.LastModifiedSeconds}\n");
        foreach (var segment in entry.Segments)
        {
            lines.Append(CultureInfo.InvariantCulture, $"{segment.Offset}:{segment.Length}:{segment.Hash}\n");
        }

        text.Write(Encoding.UTF8.GetBytes(lines.ToString()));
        _files.Replace(_files.ObjectEntry(entry.Info.Key.Hash), text.WrittenSpan);
    }

    /// <summary>Removes an entry.</summary>
    public void Remove(ObjectKey key) => _files.Delete(_files.ObjectEntry(key.Hash));

    /// <summary>Hashes of all keys that have an entry.</summary>
    public IEnumerable<BlockHash> KeyHashes() =>
        _files.List(_files.ObjectsRoot)
            .SelectMany(directory => _files.List(Path.Join(_files.ObjectsRoot, directory)))
            .Where(name => BlockHash.TryParse(name, out _))
            .Select(name => BlockHash.Parse(name));

    /// <summary>The entry of the key with this hash; null as for <see cref="Find(ObjectKey)"/>.</summary>
    public CataloguedObject? Find(BlockHash keyHash) => Read(_files.ObjectEntry(keyHash)) is { } entry && entry.Info.Key.Hash == keyHash ? entry : null;

    private CataloguedObject? Read(string path)
    {
        if (_files.Read(path) is not { } bytes)
        {
            return null;
        }

        var lines = bytes.AsSpan();
        if (!TryNext(ref lines, out var name) || !GatewayLine.TryUnescape(name, out var key)
            || !TryNext(ref lines, out var version) || ParseVersion(key, Encoding.UTF8.GetString(version)) is not { } info)
        {
            return null;
        }

        var segments = new List<ObjectSegment>();
        while (TryNext(ref lines, out var line))
        {
            // The same form as a mapping's line, with the hash in the place of the path.
            if (!GatewayLine.TryParse(line, out var segment) || !BlockHash.TryParse(segment.Key.Bytes, out var hash))
            {
                return null;
            }

            segments.Add(new ObjectSegment(segment.Offset, segment.Length, hash));
        }

        return segments.Count > 0 && segments.Sum(segment => (long)segment.Length) == info.SizeBytes ? new CataloguedObject(info, segments) : null;
    }

    private static ObjectInfo? ParseVersion(ObjectKey key, string text) =>
        text.Split(' ') is [var size, var etag, var seconds]
        && long.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out var sizeBytes)
        && long.TryParse(seconds, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var modified)
            ? new ObjectInfo(key, sizeBytes, etag, modified)
            : null;

    private static bool TryNext(ref Span<byte> text, out ReadOnlySpan<byte> line)
    {
        var end = text.IndexOf((byte)'\n');
        line = end < 0 ? default : text[..end];
        text = end < 0 ? default : text[(end + 1)..];
        return end >= 0;
    }
}
