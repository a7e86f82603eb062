using System.Globalization;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace KeepFs.Cli.Bench.Mounts;

/// <summary>What was measured, for people or for programs. The first peer is the one that the others are compared with.</summary>
internal sealed class MountBenchTable(bool asJson)
{
    private readonly Table _table = new Table().AddColumns("load", "mount", "median", "", "keepfs is");

    public void Add(MountLoad load, IReadOnlyList<(MountPeer Peer, double[] Rates)> measured)
    {
        foreach (var (peer, rates) in measured)
        {
            var median = Median(rates);
            double? ratio = peer == measured[0].Peer ? null : Median(measured[0].Rates.Zip(rates, (ours, theirs) => ours / theirs));
            if (asJson)
            {
                Console.WriteLine(new JsonObject { ["load"] = load.Name, ["mount"] = peer.Name, ["per_second"] = median, ["unit"] = load.Unit, ["keepfs_ratio"] = ratio }.ToJsonString());
                continue;
            }

            _table.AddRow(
                peer == measured[0].Peer ? load.Name : "",
                peer.Name,
                median.ToString("#,0", CultureInfo.InvariantCulture),
                load.Unit,
                ratio is null ? "" : ratio.Value.ToString("0.00", CultureInfo.InvariantCulture) + "x");
        }
    }

    public void Print()
    {
        if (!asJson)
        {
            AnsiConsole.Console.Profile.Width = Math.Max(120, AnsiConsole.Console.Profile.Width);
            AnsiConsole.Write(_table);
        }
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted[sorted.Length / 2];
    }
}
