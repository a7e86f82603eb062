using KeepFs.Engine.Blocks;
using KeepFs.Engine.Client;

namespace KeepFs.Cli.Settings;

/// <summary>Counts what goes to keepstores and what comes from them. Copies beyond the first count as sent once.</summary>
internal sealed class KeepTraffic(IBlockSource inner) : IBlockSource
{
    private long _fetches;
    private long _fetchedBytes;
    private long _writes;
    private long _writtenBytes;

    public long Fetches => Interlocked.Read(ref _fetches);

    public long FetchedBytes => Interlocked.Read(ref _fetchedBytes);

    public long Writes => Interlocked.Read(ref _writes);

    public long WrittenBytes => Interlocked.Read(ref _writtenBytes);

    public async ValueTask FetchAsync(Locator locator, BlockBuffer destination, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _fetches);
        await inner.FetchAsync(locator, destination, cancellationToken);
        Interlocked.Add(ref _fetchedBytes, locator.SizeBytes);
    }

    public async ValueTask<WrittenBlock> WriteAsync(ReadOnlyMemory<byte> data, BlockWriteOptions wish, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _writes);
        var written = await inner.WriteAsync(data, wish, cancellationToken);
        Interlocked.Add(ref _writtenBytes, data.Length);
        return written;
    }
}
