using KeepFs.Engine.Blocks;
using KeepFs.Engine.FileSystems;
using KeepFs.Engine.Manifests;
using KeepFs.WebDav.Sessions;

namespace KeepFs.WebDav.Writing;

/// <summary>
/// Stores request bodies as blocks. Small ones that come at the same time share a block: one request, one file and one sync on each keepstore for all of
/// them. Every body is on stable storage when its call returns. Safe for concurrent use.
/// </summary>
internal sealed class Uploads
{
    /// <summary>Bodies up to this size are packed: larger ones keep the disks busy by themselves.</summary>
    public const int MaxPackedBytes = 1 << 20;

    /// <summary>Bytes in one packed block. What comes later is not to wait long for what came before.</summary>
    private const int MaxBlockBytes = 8 << 20;

    /// <summary>Packed blocks of one user on their way: one syncs while the next arrives.</summary>
    private const int BlocksAtOnce = 2;

    private const int MaxBodies = 128;

    private readonly BlockBufferPool _buffers;
    private readonly Gathering<Destination, Body> _small;

    public Uploads(BlockBufferPool buffers)
    {
        _buffers = buffers;
        _small = new Gathering<Destination, Body>(BlocksAtOnce, MaxBodies, Fits, StoreAsync);
    }

    /// <summary>Stores a body in blocks of its own: the hash of a block is then the hash of the body.</summary>
    public Task<ManifestSegment[]> StoreAloneAsync(Stream source, long bytes, Session session, BlockWriteOptions options, CancellationToken cancellationToken) =>
        BlockUpload.StoreAsync(source, bytes, session.Blocks, _buffers, options, grows: true, cancellationToken);

    /// <summary>Stores a body, with others if it is small.</summary>
    /// <param name="source">Read to its end.</param>
    /// <param name="bytes">Its length, which the server holds the client to; -1 when it is not known.</param>
    /// <param name="session">Whose token stores it.</param>
    /// <param name="options">Replicas and classes.</param>
    /// <param name="cancellationToken">Ends the upload; what was stored stays as unreferenced blocks.</param>
    public async Task<ManifestSegment[]> StoreAsync(Stream source, long bytes, Session session, BlockWriteOptions options, CancellationToken cancellationToken)
    {
        if (bytes is < 0 or > MaxPackedBytes)
        {
            return await StoreAloneAsync(source, bytes, session, options, cancellationToken);
        }

        if (bytes == 0)
        {
            return [];
        }

        var buffer = await _buffers.RentAsync((int)bytes, cancellationToken);
        try
        {
            buffer.Length = (int)bytes;
            await source.ReadExactlyAsync(buffer.Capacity[..buffer.Length], cancellationToken);
            var body = new Body(buffer.Memory);
            await _small.DoAsync(new Destination(session, options.Replicas, string.Join(',', options.StorageClasses)), body, cancellationToken);
            return [body.Segment!.Value];
        }
        finally
        {
            buffer.Release();
        }
    }

    private static bool Fits(IReadOnlyList<Body> bodies, Body next) => bodies.Sum(body => (long)body.Bytes.Length) + next.Bytes.Length <= MaxBlockBytes;

    private async Task StoreAsync(Destination destination, IReadOnlyList<Body> bodies)
    {
        var options = new BlockWriteOptions(destination.Replicas, destination.Classes.Split(',', StringSplitOptions.RemoveEmptyEntries));
        var total = bodies.Sum(body => body.Bytes.Length);

        // Not waiting for memory while holding some: without any to spare each goes by itself.
        if (bodies.Count == 1 || _buffers.TryRent(total) is not { } packed)
        {
            foreach (var body in bodies)
            {
                var written = await destination.Session.Blocks.WriteAsync(body.Bytes, options, CancellationToken.None);
                body.Finish(new ManifestSegment(written.Locator, 0, body.Bytes.Length));
            }

            return;
        }

        try
        {
            var at = 0;
            foreach (var body in bodies)
            {
                body.Bytes.CopyTo(packed.Capacity[at..]);
                at += body.Bytes.Length;
            }

            var written = await destination.Session.Blocks.WriteAsync(packed.Capacity[..total], options, CancellationToken.None);
            at = 0;
            foreach (var body in bodies)
            {
                body.Finish(new ManifestSegment(written.Locator, at, body.Bytes.Length));
                at += body.Bytes.Length;
            }
        }
        finally
        {
            packed.Release();
        }
    }

    private readonly record struct Destination(Session Session, int? Replicas, string Classes);

    private sealed class Body(ReadOnlyMemory<byte> bytes) : GatheredItem
    {
        public ReadOnlyMemory<byte> Bytes => bytes;

        public ManifestSegment? Segment { get; private set; }

        public void Finish(ManifestSegment segment)
        {
            Segment = segment;
            Done.TrySetResult();
        }
    }
}
