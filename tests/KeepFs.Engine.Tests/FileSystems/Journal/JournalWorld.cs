using System.Text;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.FileSystems;
using KeepFs.Engine.FileSystems.Journal;
using KeepFs.Engine.Manifests;
using KeepFs.Testing.Catalog;
using KeepFs.Testing.Volumes;

namespace KeepFs.Engine.Tests.FileSystems.Journal;

/// <summary>A collection with a journal on the real disk, and crashes: copies of the journal's folder that another world replays.</summary>
internal sealed class JournalWorld : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private int _crashes;

    public JournalWorld(JournalOptions? options = null)
    {
        // Bytes become durable when a test says so, and small data goes to data files too.
        JournalOptions = options ?? new JournalOptions { SyncInterval = TimeSpan.FromHours(1), MaxInlineBytes = 1000, FileBytes = 20_000 };
        Journal = StagingJournal.Open(Root, "token", JournalOptions, TimeProvider.System, Log.Add);
        World = new CollectionWorld { Journal = Journal, WritePool = new BlockBufferPool(new BlockBufferPoolOptions { BudgetBytes = 128 << 20 }) };
    }

    public JournalOptions JournalOptions { get; }

    public List<string> Log { get; } = [];

    public string Root => System.IO.Path.Combine(_folder.Path, "journal");

    public StagingJournal Journal { get; }

    public CollectionWorld World { get; }

    /// <summary>Files of the journal, without locks.</summary>
    public string[] Files => [.. Directory.EnumerateFiles(Root, "*", SearchOption.AllDirectories).Where(path => System.IO.Path.GetFileName(path) is not ("lock" or "tokens")).Order(StringComparer.Ordinal)];

    /// <summary>The journal as a process that is killed now would leave it, with the catalogue as it is now.</summary>
    public Crash Crash()
    {
        var copy = System.IO.Path.Combine(_folder.Path, $"crash{++_crashes}");
        Copy(Root, copy);
        return new Crash(this, copy, World.Catalog.Clone());
    }

    public static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var directory in Directory.EnumerateDirectories(from, "*", SearchOption.AllDirectories))
        {
            Directory.CreateDirectory(System.IO.Path.Combine(to, System.IO.Path.GetRelativePath(from, directory)));
        }

        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories).Where(path => System.IO.Path.GetFileName(path) != "lock"))
        {
            File.Copy(file, System.IO.Path.Combine(to, System.IO.Path.GetRelativePath(from, file)));
        }
    }

    /// <summary>Everything in a live collection: path and content, directories with a slash.</summary>
    public static async Task<string> DescribeAsync(IDirectoryNode directory, string prefix = "")
    {
        var text = new StringBuilder();
        foreach (var entry in await directory.ListAsync(default))
        {
            var node = await directory.LookupAsync(entry.Name, default);
            if (node is IDirectoryNode child)
            {
                text.Append(prefix).Append(entry.Name).Append("/\n").Append(await DescribeAsync(child, prefix + entry.Name + "/"));
                continue;
            }

            await using var handle = await ((IFileNode)node!).OpenAsync(FileAccess.Read, default);
            using var lease = await handle.ReadAsync(0, 1 << 26, default);
            text.Append(prefix).Append(entry.Name).Append(' ').Append(lease.Memory.Length).Append(' ').Append(Digest(lease.Memory.Span)).Append('\n');
        }

        return text.ToString();
    }

    /// <summary>The same of what the catalogue has.</summary>
    public async Task<string> DescribeSavedAsync(MemoryCatalog catalog, string uuid)
    {
        var text = new StringBuilder();
        foreach (var (path, node) in ManifestTree.Load((await catalog.FindCollectionAsync(uuid, null, default))!.ManifestText!.Value).Walk())
        {
            if (node is ManifestFile file)
            {
                var bytes = file.Segments.SelectMany(segment => World.Store.Blocks[segment.Locator.Hash].Skip(segment.Offset).Take(segment.Length)).ToArray();
                text.Append(path).Append(' ').Append(bytes.Length).Append(' ').Append(Digest(bytes)).Append('\n');
            }
            else
            {
                text.Append(path).Append("/\n");
            }
        }

        return text.ToString();
    }

    public async ValueTask DisposeAsync()
    {
        await Journal.DisposeAsync();
        _folder.Dispose();
    }

    private static string Digest(ReadOnlySpan<byte> bytes) => bytes.Length <= 12 ? Encoding.Latin1.GetString(bytes).Replace('\n', ' ') : Convert.ToHexString(System.Security.Cryptography.MD5.HashData(bytes))[..12];
}

/// <summary>What a killed process left behind.</summary>
internal sealed class Crash(JournalWorld before, string root, MemoryCatalog catalog)
{
    public string Root => root;

    public MemoryCatalog Catalog => catalog;

    public List<string> Log { get; } = [];

    /// <summary>Starts a process on it, which replays; what the catalogue has then.</summary>
    public async Task<string> ReplayAsync(string uuid, bool mustSucceed = true)
    {
        await using var journal = StagingJournal.Open(root, "token", before.JournalOptions, TimeProvider.System, Log.Add);
        var world = new CollectionWorld { Store = before.World.Store, Catalog = catalog, Journal = journal, Log = Log };
        await journal.ReplayAsync(world.Services(), TimeSpan.FromMinutes(1), default);
        Assert.True(!mustSucceed || journal.Pending.Count == 0, string.Join('\n', Log));
        return await before.DescribeSavedAsync(catalog, uuid);
    }
}
