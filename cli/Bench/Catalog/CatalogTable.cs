using System.Globalization;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace KeepFs.Cli.Bench.Catalog;

/// <summary>What was measured, with the bars that it should reach; for people or for programs.</summary>
/// <param name="asJson">One JSON object a row.</param>
internal sealed class CatalogTable(bool asJson)
{
    private readonly Table _table = new Table().AddColumns("load", "database", "median", "", "bar", "", "CPU", "peer");

    /// <summary>One row.</summary>
    /// <param name="load">What was done.</param>
    /// <param name="database">On which database.</param>
    /// <param name="values">By round.</param>
    /// <param name="unit">Of the values.</param>
    /// <param name="bar">What it should reach; null: there is none.</param>
    /// <param name="isMore">More is better.</param>
    /// <param name="cpu">Microseconds of the catalogue's process for each request, by round.</param>
    /// <param name="peer">Who did the same by itself in the same rounds, and its values.</param>
    public void Add(string load, string database, IReadOnlyList<double> values, string unit, double? bar = null, bool isMore = false, IReadOnlyList<double>? cpu = null, (string Name, IReadOnlyList<double> Values)? peer = null)
    {
        var median = Median(values);
        var ratio = bar is null ? (double?)null : isMore ? median / bar : bar / median;
        var toPeer = peer is { } other ? Median([.. values.Zip(other.Values, (ours, theirs) => ours / theirs)]) : (double?)null;
        if (asJson)
        {
            Console.WriteLine(new JsonObject
            {
                ["load"] = load,
                ["database"] = database,
                ["median"] = median,
                ["unit"] = unit,
                ["bar"] = bar,
                ["of_bar"] = ratio,
                ["cpu_us"] = cpu is null ? null : Median(cpu),
                ["peer"] = peer?.Name,
                ["peer_median"] = peer is { } p ? Median(p.Values) : null,
                ["peer_ratio"] = toPeer,
            }.ToJsonString());
            return;
        }

        _table.AddRow(
            Markup.Escape(load), database, Number(median), unit, bar is null ? "" : Number(bar.Value),
            ratio is null ? "" : string.Create(CultureInfo.InvariantCulture, $"{(ratio >= 1 ? "reached" : "MISSED")}, {ratio:0.00}x"),
            cpu is null ? "" : string.Create(CultureInfo.InvariantCulture, $"{Median(cpu):0} us"),
            peer is { } shown ? string.Create(CultureInfo.InvariantCulture, $"{shown.Name}: {Number(Median(shown.Values))}, {toPeer:0.00}x") : "");
    }

    public void Print(IEnumerable<string> notes)
    {
        if (asJson)
        {
            return;
        }

        AnsiConsole.Console.Profile.Width = Math.Max(180, AnsiConsole.Console.Profile.Width);
        AnsiConsole.Write(_table);
        foreach (var note in notes)
        {
            Console.WriteLine(note);
        }
    }

    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted[sorted.Length / 2];
    }

    private static string Number(double value) => value.ToString(value < 10 ? "0.00" : value < 100 ? "0.0" : "#,0", CultureInfo.InvariantCulture);
}
