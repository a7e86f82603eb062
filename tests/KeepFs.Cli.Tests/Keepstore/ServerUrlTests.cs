using KeepFs.Cli.Keepstore;
using KeepFs.Hosting.Configuration;

namespace KeepFs.Cli.Tests.Keepstore;

public sealed class ServerUrlTests
{
    [Theory]
    [InlineData(null, "keep1.example", "http://keep1.example:25107/")]
    [InlineData(null, "fd00::2", "http://[fd00::2]:25107")]
    [InlineData("http://keep0.example:25107/", "", "http://keep0.example:25107")]
    public void Own_entry_is_the_wanted_one_or_the_one_with_an_address_of_this_machine(string? wanted, string here, string expected) =>
        Assert.Equal(expected, Choose(wanted, here));

    [Theory]
    [InlineData(null, "", "no address of this machine")]
    [InlineData(null, "keep0.example keep1.example", "choose one with -url")]
    [InlineData("http://keep9:1", "", "has no entry http://keep9:1")]
    public void No_entry_or_several_are_a_clear_failure(string? wanted, string here, string message) =>
        Assert.Contains(message, Assert.Throws<CommandException>(() => Choose(wanted, here)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("localhost", true)]
    [InlineData("192.0.2.1", false)]
    [InlineData("nosuchhost.invalid", false)]
    public void Addresses_of_this_machine_are_known(string host, bool expected) => Assert.Equal(expected, ServerUrl.IsThisMachine(host));

    private static string Choose(string? wanted, string here) => ServerUrl.Choose(
        new ClusterConfig
        {
            ClusterId = "zzzzz",
            Services = new ServicesConfig
            {
                Keepstore = new ServiceConfig
                {
                    InternalURLs = new Dictionary<string, InternalUrlConfig>
                    {
                        ["http://keep0.example:25107"] = new(),
                        ["http://keep1.example:25107/"] = new(),
                        ["http://[fd00::2]:25107"] = new(),
                    },
                },
            },
        },
        wanted,
        host => here.Split(' ').Contains(host));
}
