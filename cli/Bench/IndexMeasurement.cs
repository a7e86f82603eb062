using System.Buffers.Text;
using System.Diagnostics;
using System.Security.Cryptography;
using KeepFs.Engine.Blocks;

namespace KeepFs.Cli.Bench;

/// <summary>How fast a keepstore lists its blocks.</summary>
internal sealed record IndexMeasurement(int Blocks, double LinesPerSecond, TimeSpan FirstByte, long BytesBefore, long PeakBytes)
{
    private const int Rounds = 3;

    public override string ToString() => $"INDEX of {Output.Readable.Count(Blocks)} blocks, memory";

    /// <summary>Empty files under random names: an index looks at names, sizes and times only.</summary>
    public static void Fill(string volume, int blocks)
    {
        for (var i = 0; i < 4096; i++)
        {
            Directory.CreateDirectory(Path.Combine(volume, i.ToString("x3", System.Globalization.CultureInfo.InvariantCulture)));
        }

        Span<byte> random = stackalloc byte[16];
        for (var i = 0; i < blocks; i++)
        {
            RandomNumberGenerator.Fill(random);
            var name = Convert.ToHexStringLower(random);
            File.Create(Path.Combine(volume, name[..3], name), 1).Dispose();
        }
    }

    /// <summary>Reads the whole index several times and checks that it is complete and in order; the middle one counts.</summary>
    /// <exception cref="IOException">It was not.</exception>
    public static async Task<IndexMeasurement> RunAsync(ChildServer server, string systemToken, int blocks, CancellationToken cancellationToken)
    {
        using var client = new HttpClient();
        client.DefaultRequestHeaders.Authorization = new("Bearer", systemToken);
        var process = ServerProcess.Behind(server.Address.Port) ?? throw new IOException("cannot see the server's process");
        process.ResetPeak();
        var before = process.PeakBytes();
        var rounds = new List<(double Rate, TimeSpan First)>();
        for (var i = 0; i < Rounds; i++)
        {
            var started = Stopwatch.GetTimestamp();
            await using var index = await client.GetStreamAsync(new Uri($"http://{server.Address}/index"), cancellationToken);
            var first = Stopwatch.GetElapsedTime(started);
            await CheckAsync(index, blocks, cancellationToken);
            rounds.Add((blocks / Stopwatch.GetElapsedTime(started).TotalSeconds, first));
        }

        var (rate, firstByte) = rounds.OrderBy(round => round.Rate).ElementAt(Rounds / 2);
        return new IndexMeasurement(blocks, rate, firstByte, before, process.PeakBytes());
    }

    private static async Task CheckAsync(Stream index, int blocks, CancellationToken cancellationToken)
    {
        var buffer = new byte[256 << 10];
        var (lines, length, last, ended) = (0, 0, default(BlockHash), false);
        while (await index.ReadAsync(buffer.AsMemory(length), cancellationToken) is > 0 and var count)
        {
            length += count;
            var used = 0;
            for (int end; (end = buffer.AsSpan(used, length - used).IndexOf((byte)'\n')) >= 0; used += end + 1)
            {
                var line = buffer.AsSpan(used, end);
                if (line.IsEmpty)
                {
                    ended = true;
                    continue;
                }

                if (ended || !BlockHash.TryParse(line[..BlockHash.TextLength], out var hash) || hash.CompareTo(last) <= 0
                    || !Utf8Parser.TryParse(line[(BlockHash.TextLength + 1)..], out long _, out _))
                {
                    throw new IOException($"line {lines} of the index is not in order");
                }

                (last, lines) = (hash, lines + 1);
            }

            buffer.AsSpan(used, length - used).CopyTo(buffer);
            length -= used;
        }

        if (lines != blocks || !ended)
        {
            throw new IOException($"the index has {lines} lines and not {blocks}, or no end");
        }
    }
}
