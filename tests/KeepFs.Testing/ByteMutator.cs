using System.Text;

namespace KeepFs.Testing;

/// <summary>Turns good inputs into slightly wrong ones, the same ones for the same seed.</summary>
public sealed class ByteMutator(int seed, params string[] good)
{
    private static readonly byte[][] Spices = [.. new[] { "+", "@", "/", "\"", "{", "[", "]", ",", ":", "null", "-1", "99999999999999999999", "\0", "\r", "%", "\u00e9", "\ud83d\ude00", "+A", "+R", "+K@" }.Select(Encoding.UTF8.GetBytes)];
    private readonly Random _random = new(seed);
    private readonly byte[][] _good = [.. good.Select(Encoding.UTF8.GetBytes)];

    /// <summary>10,000, or a million when everything is to be tested.</summary>
    public static int Count => Environment.GetEnvironmentVariable("KEEPFS_TEST_FULL") == "1" ? 1_000_000 : 10_000;

    public byte[] Next()
    {
        var bytes = Pick(_good).ToList();
        for (var changes = _random.Next(4); changes >= 0; changes--)
        {
            var at = _random.Next(bytes.Count + 1);
            var length = Math.Min(_random.Next(1, 9), bytes.Count - at);
            switch (_random.Next(6))
            {
                case 0 when at < bytes.Count:
                    bytes[at] ^= (byte)(1 << _random.Next(8));
                    break;
                case 1 when at < bytes.Count:
                    bytes[at] = (byte)_random.Next(256);
                    break;
                case 2:
                    bytes.RemoveRange(at, length);
                    break;
                case 3:
                    bytes.InsertRange(_random.Next(bytes.Count + 1), bytes.GetRange(at, length));
                    break;
                case 4:
                    bytes.InsertRange(at, Pick(Spices));
                    break;
                default:
                    var other = Pick(_good);
                    bytes = [.. bytes[..at], .. other[_random.Next(other.Length + 1)..]];
                    break;
            }
        }

        return [.. bytes];
    }

    /// <summary>Bytes that are no UTF-8 become characters all the same.</summary>
    public string NextText() => Encoding.Latin1.GetString(Next());

    public T Pick<T>(T[] choices) => choices[_random.Next(choices.Length)];
}
