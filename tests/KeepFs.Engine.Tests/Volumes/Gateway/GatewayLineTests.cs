using System.Buffers;
using System.Text;
using KeepFs.Engine.Volumes.Gateway;

namespace KeepFs.Engine.Tests.Volumes.Gateway;

public sealed class GatewayLineTests
{
    [Theory]
    [InlineData("a:b.txt", "0:13:a:b.txt")]
    [InlineData("with space.txt", "0:13:with space.txt")]
    [InlineData("line\nbreak", @"0:13:line\012break")]
    [InlineData(@"back\slash", @"0:13:back\134slash")]
    [InlineData("/leading", "0:13:/leading")]
    [InlineData("é/漢字", "0:13:é/漢字")]
    [InlineData("\u0001\u007f", @"0:13:\001\177")]
    public void Keys_are_escaped_and_read_back(string key, string line)
    {
        var wanted = new GatewayLine(0, 13, new ObjectKey(key));

        Assert.Equal(line + "\n", Text(wanted));
        Assert.True(GatewayLine.TryParse(Encoding.UTF8.GetBytes(line), out var parsed));
        Assert.Equal(wanted, parsed);
    }

    [Theory]
    [InlineData("9223372036854775807:67108864:x", 9223372036854775807, 67108864)]
    [InlineData("2:13:archive/all.bin", 2, 13)]
    [InlineData("0:0:x", 0, 0)]
    public void Numbers_up_to_their_limits_are_read(string line, long offset, int length)
    {
        Assert.True(GatewayLine.TryParse(Encoding.UTF8.GetBytes(line), out var parsed));
        Assert.Equal((offset, length), (parsed.Offset, parsed.Length));
    }

    [Theory]
    [InlineData("")]
    [InlineData("0:13")]
    [InlineData("0:13:")]
    [InlineData(":13:x")]
    [InlineData("0::x")]
    [InlineData("-1:13:x")]
    [InlineData("+5:13:x")]
    [InlineData("00:13:x")]
    [InlineData("01:13:x")]
    [InlineData("0:013:x")]
    [InlineData(" 0:13:x")]
    [InlineData("0:67108865:x")]
    [InlineData("9223372036854775808:1:x")]
    [InlineData("99999999999999999999999:1:x")]
    [InlineData("0:13:x\r")]
    [InlineData("0:13:x\t")]
    [InlineData("0:13:x\u007f")]
    [InlineData(@"0:13:x\")]
    [InlineData(@"0:13:x\01")]
    [InlineData(@"0:13:x\400")]
    [InlineData(@"0:13:x\018")]
    [InlineData(@"0:13:x\n12")]
    public void What_breaks_the_grammar_is_refused(string line) => Assert.False(GatewayLine.TryParse(Encoding.UTF8.GetBytes(line), out _));

    [Fact]
    public void Bytes_that_are_not_utf8_are_kept()
    {
        var line = new GatewayLine(0, 1, new ObjectKey([0xff, 0xfe, (byte)'\n', 0x80]));

        Assert.True(GatewayLine.TryParse(Bytes(line).AsSpan()[..^1], out var parsed));
        Assert.Equal(line, parsed);
        Assert.True(GatewayLine.TryParse("0:1:\\377\\376"u8, out var escaped));
        Assert.Equal([0xff, 0xfe], escaped.Key.Bytes.ToArray());
    }

    /// <summary>Whatever is accepted is written as the one form that means the same; whatever is refused breaks a rule that an independent check knows.</summary>
    [Fact]
    public void Random_lines_are_accepted_exactly_when_they_follow_the_grammar()
    {
        var random = new Random(20150303);
        var rounds = Environment.GetEnvironmentVariable("KEEPFS_TEST_FULL") == "1" ? 1_000_000 : 10_000;
        var alphabet = "0123456789:::\\\\017+-\r \tab/\u007f"u8.ToArray();
        var accepted = 0;
        for (var round = 0; round < rounds; round++)
        {
            var text = new byte[random.Next(30)];
            for (var i = 0; i < text.Length; i++)
            {
                text[i] = random.Next(20) == 0 ? (byte)random.Next(256) : alphabet[random.Next(alphabet.Length)];
            }

            if (random.Next(2) == 0)
            {
                text = [.. Encoding.ASCII.GetBytes($"{random.Next(100)}:{random.Next(100)}:"), .. text];
            }

            var isLine = GatewayLine.TryParse(text, out var line);
            Assert.True(isLine == FollowsGrammar(text), Encoding.Latin1.GetString(text));
            if (isLine)
            {
                accepted++;
                Assert.True(GatewayLine.TryParse(Bytes(line).AsSpan()[..^1], out var again));
                Assert.Equal(line, again);
            }
        }

        Assert.True(accepted > rounds / 20);
    }

    private static bool FollowsGrammar(byte[] text)
    {
        var match = System.Text.RegularExpressions.Regex.Match(
            Encoding.Latin1.GetString(text), @"\A(0|[1-9][0-9]*):(0|[1-9][0-9]*):(?:[^\x00-\x1f\x7f\\]|\\[0-3][0-7][0-7])+\z");
        return match.Success && UInt128.Parse(match.Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture) < (UInt128)1 << 63
            && UInt128.Parse(match.Groups[2].ValueSpan, System.Globalization.CultureInfo.InvariantCulture) <= 1 << 26;
    }

    private static byte[] Bytes(GatewayLine line)
    {
        var output = new ArrayBufferWriter<byte>();
        line.WriteTo(output);
        return output.WrittenSpan.ToArray();
    }

    private static string Text(GatewayLine line) => Encoding.UTF8.GetString(Bytes(line));
}
