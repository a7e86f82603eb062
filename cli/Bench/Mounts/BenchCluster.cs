using KeepFs.Cli.Settings;
using KeepFs.Cli.Up;

namespace KeepFs.Cli.Bench.Mounts;

/// <summary>A cluster with one volume, which holds the data as a collection.</summary>
internal sealed class BenchCluster : IAsyncDisposable
{
    /// <summary>The name in home of the collection that holds the data.</summary>
    public const string DataName = "data";

    private readonly ClusterProcess _process;

    private BenchCluster(ClusterProcess process) => _process = process;

    /// <summary><c>ARVADOS_*</c> and others, for clients.</summary>
    public IReadOnlyDictionary<string, string> Variables => _process.Variables;

    public ArvadosSettings Settings => _process.Settings;

    public Uri WebDav => _process.WebDavUrl;

    /// <summary>The UUID of the data.</summary>
    public string DataUuid { get; private set; } = "";

    public static async Task<BenchCluster> StartAsync(string folder, BenchData data, CancellationToken cancellationToken)
    {
        var volume = Path.Combine(folder, "disk");
        var cluster = new BenchCluster(await ClusterProcess.StartAsync(Path.Combine(folder, "data"), [volume], mountPoint: null, cancellationToken));
        try
        {
            cluster.DataUuid = await cluster._process.PutAsync(DataName, data.Folder, cancellationToken);

            // Blocks are written past the kernel's memory, in which the files of the others are.
            foreach (var block in Directory.EnumerateFiles(volume, "*", SearchOption.AllDirectories))
            {
                await using var file = File.OpenRead(block);
                await file.CopyToAsync(Stream.Null, cancellationToken);
            }

            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
