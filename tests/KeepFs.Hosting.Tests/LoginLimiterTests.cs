using System.Net;
using KeepFs.Hosting.Configuration;
using KeepFs.Hosting.Http;
using KeepFs.Testing.Volumes;

namespace KeepFs.Hosting.Tests;

public sealed class LoginLimiterTests
{
    private static readonly IPAddress Here = IPAddress.Parse("192.0.2.1");
    private static readonly IPAddress There = IPAddress.Parse("192.0.2.2");

    private readonly ManualTime _time = new();

    [Fact]
    public void Address_with_too_many_wrong_tokens_waits_and_others_do_not()
    {
        var limiter = Limiter(limit: 4);
        for (var i = 0; i < 4; i++)
        {
            Assert.Equal(["wrong"], limiter.Admit(Here, ["wrong"], out _));
            limiter.Report(Here, null, 1);
        }

        Assert.Empty(limiter.Admit(Here, ["right"], out var wait));
        Assert.Equal(TimeSpan.FromSeconds(15), wait);
        Assert.Equal(["right"], limiter.Admit(There, ["right"], out _));
        Assert.Equal(["right"], limiter.Admit(null, ["right"], out _));
        Assert.Equal(1, limiter.Held);

        _time.Advance(TimeSpan.FromSeconds(15.1));
        Assert.Equal(["right"], limiter.Admit(Here, ["right"], out _));
        limiter.Report(Here, null, 1);
        Assert.Empty(limiter.Admit(Here, ["right"], out _));
    }

    [Fact]
    public void Token_that_was_right_from_an_address_goes_on_there_and_only_there()
    {
        var limiter = Limiter(limit: 4);
        limiter.Report(Here, "mine", 0);
        limiter.Report(Here, null, 100);
        limiter.Report(There, null, 100);

        Assert.Equal(["mine"], limiter.Admit(Here, ["other", "mine"], out _));
        Assert.Empty(limiter.Admit(There, ["mine"], out var wait));
        Assert.Equal(TimeSpan.FromSeconds(75), wait);
    }

    [Fact]
    public void Network_of_ipv6_counts_as_one_and_ipv4_inside_ipv6_as_itself()
    {
        var limiter = Limiter(limit: 4);
        limiter.Report(IPAddress.Parse("2001:db8::1"), null, 4);
        limiter.Report(Here, null, 4);

        Assert.Empty(limiter.Admit(IPAddress.Parse("2001:db8::ffff:2"), ["t"], out _));
        Assert.Single(limiter.Admit(IPAddress.Parse("2001:db8:0:1::1"), ["t"], out _));
        Assert.Empty(limiter.Admit(Here.MapToIPv6(), ["t"], out _));
    }

    [Fact]
    public void Memory_is_bounded_and_the_last_to_fail_are_kept()
    {
        var limiter = Limiter(limit: 4);
        for (var i = 0; i < 500; i++)
        {
            limiter.Report(new IPAddress(i), "token", 4);
        }

        Assert.Equal(10, limiter.Addresses);
        Assert.Single(limiter.Admit(new IPAddress(1), ["t"], out _));
        Assert.Empty(limiter.Admit(new IPAddress(499), ["t"], out _));
        Assert.Single(limiter.Admit(new IPAddress(499), ["token"], out _));

        _time.Advance(TimeSpan.FromMinutes(3));
        limiter.Report(Here, null, 1);
        Assert.Equal(1, limiter.Addresses);
    }

    [Fact]
    public void Limit_of_zero_means_none()
    {
        var limiter = Limiter(limit: 0);
        limiter.Report(Here, null, 1000);
        Assert.Single(limiter.Admit(Here, ["t"], out _));
        Assert.Equal(0, limiter.Addresses);
    }

    private LoginLimiter Limiter(int limit) => new(new FailedLoginsConfig { Limit = limit, Window = TimeSpan.FromMinutes(1), MaxRemembered = 10 }, _time);
}
