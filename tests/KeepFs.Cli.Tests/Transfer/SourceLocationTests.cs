using KeepFs.Cli.Transfer;

namespace KeepFs.Cli.Tests.Transfer;

public sealed class SourceLocationTests
{
    [Theory]
    [InlineData("zzzzz-4zz18-000000000000000", "zzzzz-4zz18-000000000000000", "")]
    [InlineData("zzzzz-4zz18-000000000000000/", "zzzzz-4zz18-000000000000000", "")]
    [InlineData("zzzzz-4zz18-000000000000000/a/b c", "zzzzz-4zz18-000000000000000", "a/b c")]
    [InlineData("d41d8cd98f00b204e9800998ecf8427e+0/x/", "d41d8cd98f00b204e9800998ecf8427e+0", "x")]
    public void First_slash_parts_collection_and_path(string text, string collection, string path) =>
        Assert.Equal(new SourceLocation(collection, path), SourceLocation.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("/etc/passwd")]
    [InlineData("zzzzz-j7d0g-000000000000000")]
    [InlineData("d41d8cd98f00b204e9800998ecf8427e")]
    public void Anything_else_is_a_usage_error(string text) => Assert.Equal(2, Assert.Throws<CommandException>(() => SourceLocation.Parse(text)).ExitCode);
}
