using System.Globalization;
using System.Text.Json.Nodes;
using KeepFs.Cli.Output;
using Spectre.Console;

namespace KeepFs.Cli.Bench;

/// <summary>What was measured, for people or for programs.</summary>
internal sealed class KeepstoreTable
{
    private readonly bool _asJson;
    private string? _index;
    private readonly Table _table = new Table().AddColumns("load", "server", "MB/s", "requests/s", "p50 ms", "p99 ms", "CPU s/GiB", "CPU us/request", "peak RSS", "keepfs is");

    public KeepstoreTable(bool asJson) => _asJson = asJson;

    public void Add(KeepstoreLoad load, IReadOnlyList<MeasuredServer> servers)
    {
        foreach (var server in servers.Where(server => server.RoundsOf(load).Any()))
        {
            var median = Measurement.Median(server.RoundsOf(load));
            double? ratio = server == servers[0] ? null : Measurement.MedianRatio(servers[0].RoundsOf(load), server.RoundsOf(load));
            if (_asJson)
            {
                Console.WriteLine(Describe(load, server, median, ratio).ToJsonString());
                continue;
            }

            _table.AddRow(
                server == servers[0] ? load.ToString() : "",
                server.Name,
                load.Method == "HEAD" ? "" : Number(median.Load.BytesPerSecond / 1e6, "0"),
                Number(median.Load.RequestsPerSecond, "#,0"),
                Number(median.Load.Percentile(0.50), "0.00"),
                Number(median.Load.Percentile(0.99), "0.00"),
                load.Method == "HEAD" ? "" : Number(median.CpuSecondsPerGiB, "0.00"),
                Number(median.CpuMicrosecondsPerRequest, "#,0"),
                median.PeakBytes is { } peak ? Readable.Bytes(peak) : "",
                ratio is null ? "" : Number(ratio, "0.00") + "x");
            if (!Console.IsOutputRedirected)
            {
                AnsiConsole.MarkupLineInterpolated($"[grey]{load}: {server.Name} {median.Load.RequestsPerSecond:0} requests/s[/]");
            }
        }
    }

    /// <summary>A row of another kind.</summary>
    public void AddIndex(IndexMeasurement index)
    {
        if (_asJson)
        {
            Console.WriteLine(new JsonObject
            {
                ["load"] = index.ToString(),
                ["server"] = "keepfs",
                ["lines_per_second"] = index.LinesPerSecond,
                ["first_byte_ms"] = index.FirstByte.TotalMilliseconds,
                ["rss_before_bytes"] = index.BytesBefore,
                ["peak_rss_bytes"] = index.PeakBytes,
            }.ToJsonString());
            return;
        }

        _index = string.Create(
            CultureInfo.InvariantCulture,
            $"{index}: {index.LinesPerSecond:#,0} lines/s in hash order, first byte after {index.FirstByte.TotalMilliseconds:0} ms, RSS {Readable.Bytes(index.BytesBefore)} before, {Readable.Bytes(index.PeakBytes)} at most");
    }

    public void Print(double oneStreamBytesPerSecond)
    {
        if (_asJson)
        {
            Console.WriteLine(new JsonObject { ["load"] = "MD5.HashData, one stream", ["bytes_per_second"] = oneStreamBytesPerSecond }.ToJsonString());
            return;
        }

        AnsiConsole.Console.Profile.Width = Math.Max(160, AnsiConsole.Console.Profile.Width);
        AnsiConsole.Write(_table);
        if (_index is not null)
        {
            Console.WriteLine(_index);
        }

        Console.WriteLine($"Limit of one stream on this machine, MD5.HashData: {Number(oneStreamBytesPerSecond / 1e6, "0")} MB/s");
    }

    private static JsonObject Describe(KeepstoreLoad load, MeasuredServer server, Measurement median, double? ratio) => new()
    {
        ["load"] = load.ToString(),
        ["server"] = server.Name,
        ["bytes_per_second"] = median.Load.BytesPerSecond,
        ["requests_per_second"] = median.Load.RequestsPerSecond,
        ["p50_ms"] = median.Load.Percentile(0.50),
        ["p99_ms"] = median.Load.Percentile(0.99),
        ["cpu_seconds_per_gib"] = median.CpuSecondsPerGiB,
        ["cpu_us_per_request"] = median.CpuMicrosecondsPerRequest,
        ["peak_rss_bytes"] = median.PeakBytes,
        ["keepfs_ratio"] = ratio,
    };

    private static string Number(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? "";
}
