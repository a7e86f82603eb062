using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using KeepFs.Engine.Blocks.Hashing;

namespace KeepFs.Benchmarks;

/// <summary>
/// Every width of <see cref="Md5Lanes"/> against <see cref="MD5.HashData(ReadOnlySpan{byte}, Span{byte})"/>, one thread, all lanes full. The rounds take
/// turns, so that whatever else the machine does meets all alike; the medians are printed.
/// </summary>
internal static class Md5Bench
{
    private const int Rounds = 15;
    private const int MessageBytes = 4 << 20;

    // Messages that lie a power of two apart would share cache sets.
    private const int StrideBytes = MessageBytes + (3 * 64);

    public static unsafe void Run()
    {
        var memory = GC.AllocateUninitializedArray<byte>(Md5Lanes.MaxLanes * StrideBytes, pinned: true);
        new Random(1).NextBytes(memory);
        var widths = Enum.GetValues<Md5Width>().Where(Md5Lanes.IsSupported).ToArray();
        var times = widths.ToDictionary(width => width, _ => new List<double>());
        var library = new List<double>();
        fixed (byte* start = memory)
        {
            Span<nint> messages = stackalloc nint[Md5Lanes.MaxLanes];
            for (var i = 0; i < messages.Length; i++)
            {
                messages[i] = (nint)start + (i * StrideBytes);
            }

            Span<Md5State> states = stackalloc Md5State[Md5Lanes.MaxLanes];
            Span<byte> digest = stackalloc byte[MD5.HashSizeInBytes];
            for (var round = -1; round < Rounds; round++)
            {
                var clock = Stopwatch.StartNew();
                MD5.HashData(memory.AsSpan(0, MessageBytes), digest);
                Record(library, round, clock, 1);
                foreach (var width in widths)
                {
                    var lanes = Md5Lanes.LanesOf(width);
                    clock.Restart();
                    Md5Lanes.Compress(width, messages[..lanes], states[..lanes], MessageBytes / Md5State.BlockBytes);
                    Record(times[width], round, clock, lanes);
                }
            }
        }

        Print("MD5.HashData", Median(library), Median(library));
        foreach (var width in widths)
        {
            Print(width.ToString(), Median(times[width]), Median(library));
        }
    }

    private static void Record(List<double> gigabytesPerSecond, int round, Stopwatch clock, int lanes)
    {
        if (round >= 0)
        {
            gigabytesPerSecond.Add((double)lanes * MessageBytes / clock.Elapsed.TotalSeconds / 1e9);
        }
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private static void Print(string name, double value, double library) =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-14} {value,6:0.00} GB/s  {value / library,5:0.0} x"));
}
