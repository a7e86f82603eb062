using KeepFs.Engine.Blocks;
using KeepFs.Engine.Volumes;

namespace KeepFs.Volumes.Azure;

/// <summary>
/// Blocks as block blobs named by their hash, as Arvados has them (keepstore-http.md 11.3); several keepstores may serve one container. Each change
/// of bytes or metadata gives a blob a new ETag, and what was decided about an older version is not carried out: so of a touch and a
/// trashing that overlap exactly one wins, and the other sees it.
/// </summary>
public sealed partial class AzureVolume : IVolume
{
    private const string ExpiresAt = "expires_at";
    private const string Touched = "touch";

    // Each failed attempt means that another server succeeded meanwhile; so many in a row do not happen.
    private const int MaxAttempts = 10;

    // As many as make one stream fast; more would only take from other readers.
    private const int MaxRanges = 8;

    private readonly AzureVolumeOptions _options;
    private readonly TrashPolicy _trash;
    private readonly IContainer _container;

    /// <summary>Opens the volume; the container is first asked when it is first used.</summary>
    public AzureVolume(AzureVolumeOptions options, IVolumeTraffic? traffic = null)
        : this(options, new AzureContainer(options, traffic))
    {
    }

    internal AzureVolume(AzureVolumeOptions options, IContainer container) => (_options, _trash, _container) = (options, options.Trash, container);

    /// <inheritdoc/>
    public string DeviceId => _options.DeviceId;

    /// <inheritdoc/>
    public async ValueTask<long?> ReadAsync(BlockHash hash, Memory<byte> destination, CancellationToken cancellationToken)
    {
        if (_options.MaxGetBytes > 0)
        {
            return await ReadRangesAsync(hash, destination, cancellationToken);
        }

        var blob = await GetAsync(hash, async (blob, bytes, token) =>
        {
            if (blob.SizeBytes > destination.Length)
            {
                return 0;
            }

            await bytes.ReadExactlyAsync(destination[..(int)blob.SizeBytes], token);
            return blob.SizeBytes;
        }, cancellationToken);
        return blob?.SizeBytes;
    }

    /// <inheritdoc/>
    public async ValueTask<CopyState> CompareAsync(BlockHash hash, ReadOnlyMemory<byte> expected, CancellationToken cancellationToken)
    {
        var state = CopyState.Absent;
        await GetAsync(hash, async (blob, bytes, token) =>
        {
            state = await CopyComparer.CompareAsync(hash, expected, bytes, blob.SizeBytes, token);
            return blob.SizeBytes > Locator.MaxBlockSizeBytes ? 0 : blob.SizeBytes;
        }, cancellationToken);
        return state;
    }

    /// <inheritdoc/>
    public ValueTask WriteAsync(BlockHash hash, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        Span<byte> digest = stackalloc byte[16];
        hash.CopyTo(digest);

        // In one request: it is stored whole or not at all, and the service compares the bytes with the hash.
        return _container.PutAsync(hash.ToString(), data, Convert.ToBase64String(digest), cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask<bool> TouchAsync(BlockHash hash, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            if (await FindAsync(hash, cancellationToken) is not { } blob)
            {
                return false;
            }

            var metadata = new Dictionary<string, string>(blob.Metadata, StringComparer.OrdinalIgnoreCase)
            {
                [Touched] = (_trash.NowNanoseconds / 1_000_000_000).ToString(System.Globalization.CultureInfo.InvariantCulture),
            };
            metadata.Remove(ExpiresAt);
            if (await _container.SetMetadataAsync(blob, metadata, cancellationToken))
            {
                return true;
            }
        }

        throw Contended(hash);
    }

    /// <inheritdoc/>
    public async ValueTask<long?> GetMtimeAsync(BlockHash hash, CancellationToken cancellationToken) => (await FindAsync(hash, cancellationToken))?.MtimeNanoseconds;

    /// <inheritdoc/>
    public VolumeSpace? GetSpace() => null;

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _container.Dispose();
        return ValueTask.CompletedTask;
    }

    private static bool IsTrashed(Blob blob) => blob.Metadata.GetValueOrDefault(ExpiresAt) is { Length: > 0 };

    private KeepException Contended(BlockHash hash) =>
        new(KeepErrorKind.Unavailable, $"{DeviceId}: {hash} was changed by others each of the {MaxAttempts} times that it was looked at.");

    private async ValueTask<Blob?> FindAsync(BlockHash hash, CancellationToken cancellationToken) =>
        await _container.GetPropertiesAsync(hash.ToString(), cancellationToken) is { } blob && !IsTrashed(blob) ? blob : null;
}
