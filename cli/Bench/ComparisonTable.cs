using System.Globalization;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace KeepFs.Cli.Bench;

/// <summary>What was measured, for people or for programs. The first peer is the one that the others are compared with.</summary>
/// <param name="kind">What is compared, such as "mount".</param>
/// <param name="asJson">One JSON object a row.</param>
internal sealed class ComparisonTable(string kind, bool asJson)
{
    private readonly Table _table = new Table().AddColumns("load", kind, "median", "", "keepfs is");

    /// <summary>One load: rates of each peer, by round.</summary>
    public void Add(string load, string unit, IReadOnlyList<(string Peer, double[] Rates)> measured)
    {
        foreach (var (peer, rates) in measured)
        {
            var median = Median(rates);
            double? ratio = peer == measured[0].Peer ? null : Median(measured[0].Rates.Zip(rates, (ours, theirs) => ours / theirs));
            if (asJson)
            {
                Console.WriteLine(new JsonObject { ["load"] = load, [kind] = peer, ["per_second"] = median, ["unit"] = unit, ["keepfs_ratio"] = ratio }.ToJsonString());
                continue;
            }

            _table.AddRow(
                peer == measured[0].Peer ? load : "",
                peer,
                median.ToString("#,0", CultureInfo.InvariantCulture),
                unit,
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
