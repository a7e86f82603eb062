using System.Net;
using KeepFs.Engine.Blocks;

namespace KeepFs.Cli.Bench;

/// <summary>A server that loads are run against: ours, a Keep-compatible one, or one that only serves files.</summary>
/// <param name="name">For the table.</param>
/// <param name="address">Where.</param>
/// <param name="token">Null: none is sent.</param>
/// <param name="folder">The volume that we may clean between rounds; null when it is not ours.</param>
/// <param name="servesFiles">It knows blocks by their path in the volume and stores nothing.</param>
internal sealed class MeasuredServer(string name, IPEndPoint address, string? token, string? folder, bool servesFiles)
{
    private readonly ServerProcess? _process = ServerProcess.Behind(address.Port);
    private readonly Dictionary<BlockHash, string> _locators = [];

    public string Name { get; } = name;

    public bool ServesFiles { get; } = servesFiles;

    public List<(KeepstoreLoad Load, Measurement Measurement)> Rounds { get; } = [];

    public IEnumerable<Measurement> RoundsOf(KeepstoreLoad load) => Rounds.Where(round => round.Load == load).Select(round => round.Measurement);

    /// <summary>Stores blocks that will be read, and keeps their signed locators.</summary>
    public void Store(IReadOnlyList<NumberedBlock> blocks, int connections)
    {
        var requests = blocks.Select(block => LoadRequest.Put(block, address.ToString(), token)).ToArray();
        LoadGenerator.Run(address, connections, requests, null, (index, answer) => _locators[blocks[index].Hash] = answer.TrimEnd());
    }

    /// <summary>Measures one round of storing some blocks and reading others, in an order that has nothing to do with their sizes.</summary>
    public void MeasureMix(KeepstoreLoad load, IReadOnlyList<NumberedBlock> stored, IReadOnlyList<NumberedBlock> read)
    {
        LoadRequest[] requests = [.. stored.Select(block => LoadRequest.Put(block, address.ToString(), token)), .. read.Select(block => Read("GET", block))];
        new Random(1).Shuffle(requests);
        Measure(load, requests, null);
    }

    /// <summary>Measures one round.</summary>
    public void Measure(KeepstoreLoad load, IReadOnlyList<NumberedBlock> blocks, TimeSpan duration)
    {
        var requests = blocks.Select(block => load.Stores ? LoadRequest.Put(block, address.ToString(), token) : Read(load.Method, block)).ToArray();
        if (!load.Stores)
        {
            // Hot is what the row says: one pass before the clock runs.
            LoadGenerator.Run(address, load.Connections, requests, null);
        }

        Measure(load, requests, load.Stores ? null : duration);
    }

    private void Measure(KeepstoreLoad load, LoadRequest[] requests, TimeSpan? duration)
    {
        _process?.ResetPeak();
        var cpu = _process?.CpuSeconds();
        var result = LoadGenerator.Run(address, load.Connections, requests, duration);
        Rounds.Add((load, new Measurement(result, _process?.CpuSeconds() - cpu, _process?.PeakBytes())));
    }

    /// <summary>Takes the stored blocks away from below: a volume in memory is small.</summary>
    public void Clean(IReadOnlyList<NumberedBlock> blocks)
    {
        if (folder is not null)
        {
            foreach (var block in blocks)
            {
                File.Delete(Path.Combine(folder, PathOf(block)));
            }
        }
    }

    private static string PathOf(NumberedBlock block) => $"{block.Hash.ToString()[..3]}/{block.Hash}";

    private LoadRequest Read(string method, NumberedBlock block) =>
        LoadRequest.Of(method, "/" + (ServesFiles ? PathOf(block) : _locators[block.Hash]), address.ToString(), token);
}
