using System.Collections.Concurrent;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Blocks.Hashing;
using KeepFs.Engine.Volumes.Gateway;
using KeepFs.Testing.Volumes;

namespace KeepFs.Engine.Tests.Volumes.Gateway;

/// <summary>A folder of objects, an index of it, and a gateway volume over both.</summary>
internal sealed class GatewayWorld : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly HashService _hashing = new(new HashServiceOptions());
    private GatewayVolume? _volume;

    public GatewayWorld()
    {
        Directory.CreateDirectory(Root);
        Directory.CreateDirectory(Mappings);
        Index = new GatewayIndex(Mappings);
    }

    public string Root => Path.Combine(_folder.Path, "objects");

    public string Mappings => Path.Combine(_folder.Path, "mappings");

    public ManualTime Time { get; } = new();

    public GatewayIndex Index { get; }

    public RecordedGateway Events { get; } = new();

    public GatewayVolumeOptions Options { get; set; } = new();

    /// <summary>Opened at the first use, over the folder unless <see cref="Source"/> was set.</summary>
    public GatewayVolume Volume => _volume ??= new GatewayVolume(Index, Source ?? new FileObjects(Root, TimeProvider.System), Options with { Hashing = _hashing, Time = Time }, Events);

    public IObjectSource? Source { get; set; }

    /// <summary>Writes an object; it is old enough to be believed.</summary>
    public void Write(string key, byte[] data, int minutesAgo = 5)
    {
        var path = PathOf(key);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, data);
        File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddMinutes(-minutesAgo));
    }

    public void Write(string key, string text) => Write(key, System.Text.Encoding.UTF8.GetBytes(text));

    public string PathOf(string key) => Path.Combine(Root, key);

    public string MappingOf(BlockHash hash) => Path.Combine(Mappings, hash.ToString()[..3], hash.ToString());

    /// <summary>Writes a mapping by hand.</summary>
    public BlockHash Map(BlockHash hash, string lines)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(MappingOf(hash))!);
        File.WriteAllText(MappingOf(hash), lines);
        return hash;
    }

    public string[] LinesOf(BlockHash hash) => File.Exists(MappingOf(hash)) ? File.ReadAllLines(MappingOf(hash)) : [];

    public async Task<byte[]?> ReadAsync(BlockHash hash, int sizeHint = 0, int room = 1 << 16)
    {
        var memory = new byte[room];
        return await Volume.ReadVerifiedAsync(hash, sizeHint, memory, default) is { } size ? memory[..(int)size] : null;
    }

    /// <summary>Scans all files of the folder.</summary>
    public async Task<ScanReport> ScanAsync(GatewayScanOptions? options = null, IObjectSource? source = null, bool isComplete = true, IScanProgress? progress = null)
    {
        await using var files = new FileObjects(Root, TimeProvider.System);
        var scan = NewScan(source ?? files, options, progress);
        return await scan.RunAsync(ListAsync(files), () => isComplete, default);
    }

    public GatewayScan NewScan(IObjectSource source, GatewayScanOptions? options = null, IScanProgress? progress = null) => new(
        Index, source, new BlockBufferPool(new BlockBufferPoolOptions { BudgetBytes = 3L * Locator.MaxBlockSizeBytes }), _hashing, options ?? new GatewayScanOptions(), progress ?? new RecordedScan(), TimeProvider.System);

    public async IAsyncEnumerable<ObjectInfo> ListAsync(FileObjects files)
    {
        foreach (var path in Directory.EnumerateFiles(Root, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            if (await files.StatAsync(new ObjectKey(Path.GetRelativePath(Root, path)), default) is { } item)
            {
                yield return item;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_volume is not null)
        {
            await _volume.DisposeAsync();
        }

        await _hashing.DisposeAsync();
        _folder.Dispose();
    }
}

/// <summary>Candidates tried in vain, as <c>outcome key</c>, and what else was told.</summary>
internal sealed class RecordedGateway : IGatewayEvents
{
    private readonly ConcurrentQueue<string> _lines = new();

    public string[] Lines => [.. _lines];

    public void CandidateFailed(BlockHash hash, GatewayLine line, CandidateOutcome outcome, string reason) => _lines.Enqueue($"{outcome} {line.Key}");

    public void ContentLost(BlockHash hash) => _lines.Enqueue("lost");

    public void MalformedLines(BlockHash hash, long count) => _lines.Enqueue($"malformed {count}");

    public void ReorderFailed(BlockHash hash, Exception failure) => _lines.Enqueue("reorder failed");
}

/// <summary>Remembers what a scan tells.</summary>
internal sealed class RecordedScan : IScanProgress
{
    public ConcurrentQueue<CataloguedObject> Entries { get; } = new();

    public ConcurrentQueue<string> Failures { get; } = new();

    public void Advance(long bytes)
    {
    }

    public void Indexed(CataloguedObject entry) => Entries.Enqueue(entry);

    public void Failed(ObjectInfo item, string reason) => Failures.Enqueue($"{item.Key}: {reason}");
}
