using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Tests.Blocks;

public sealed class GoDurationTests
{
    [Theory]
    [InlineData("336h0m0s", 336 * 3600.0, "336h0m0s")]
    [InlineData("0", 0, "0s")]
    [InlineData("1h30m", 5400, "1h30m0s")]
    [InlineData("300ms", 0.3, "300ms")]
    [InlineData("1.5s", 1.5, "1.5s")]
    [InlineData("-10s", -10, "-10s")]
    [InlineData("+2m", 120, "2m0s")]
    [InlineData("15µs", 0.000015, "15µs")]
    [InlineData("100ns", 0.0000001, "100ns")]
    public void Duration_is_parsed_and_written_as_go_does(string text, double seconds, string written)
    {
        Assert.True(GoDuration.TryParse(text, out var duration));
        Assert.Equal(TimeSpan.FromTicks((long)Math.Round(seconds * TimeSpan.TicksPerSecond)), duration);
        Assert.Equal(written, GoDuration.Format(duration));
    }

    [Theory]
    [InlineData("")]
    [InlineData("10")]
    [InlineData("h")]
    [InlineData("--1s")]
    [InlineData("1s ")]
    [InlineData("1d")]
    [InlineData("1.2.3s")]
    [InlineData("99999999999999h")]
    public void Anything_else_is_refused(string text) => Assert.False(GoDuration.TryParse(text, out _));
}
