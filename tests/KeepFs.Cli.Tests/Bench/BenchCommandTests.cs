using KeepFs.Cli.Verbs;

namespace KeepFs.Cli.Tests.Bench;

public sealed class BenchCommandTests
{
    [Fact]
    public void Server_to_compare_with_is_a_url()
    {
        Assert.Equal(25107, BenchCommand.ServerAt("http://127.0.0.1:25107").Port);
        Assert.Equal(2, Assert.Throws<CommandException>(() => BenchCommand.ServerAt("nonsense")).ExitCode);
        Assert.Throws<CommandException>(() => BenchCommand.ServerAt("https://127.0.0.1:25107"));
    }
}
