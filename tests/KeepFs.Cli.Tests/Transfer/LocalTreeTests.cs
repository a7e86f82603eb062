using KeepFs.Cli.Transfer;
using KeepFs.Testing.Volumes;

namespace KeepFs.Cli.Tests.Transfer;

public sealed class LocalTreeTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<SkippedEntry> _skipped = [];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_directory_keeps_its_name_unless_it_ends_with_a_slash()
    {
        Directory.CreateDirectory(At("d/e"));
        File.WriteAllText(At("d/f"), "x");
        Assert.Equal(["d", "d/e", "d/f"], Paths(At("d")));
        Assert.Equal(["e", "f"], Paths(At("d/")));
        Assert.Equal(["f"], Paths(At("d/f")));
    }

    [Fact]
    public void Names_come_in_the_order_of_manifests()
    {
        Directory.CreateDirectory(At("d"));
        foreach (var name in (string[])["b", "a", "\U0001F600", "\uFF5E", "B"])
        {
            File.WriteAllText(At("d/" + name), "");
        }

        Assert.Equal(["B", "a", "b", "\uFF5E", "\U0001F600"], Paths(At("d/")));
    }

    [Fact]
    public void Links_are_skipped_aloud_or_followed_but_never_round_in_circles()
    {
        Directory.CreateDirectory(At("d/sub"));
        File.WriteAllText(At("d/sub/f"), "x");
        File.CreateSymbolicLink(At("d/file"), At("d/sub/f"));
        File.CreateSymbolicLink(At("d/nowhere"), At("missing"));
        Directory.CreateSymbolicLink(At("d/sub/up"), At("d"));
        Assert.Equal(["sub", "sub/f"], Paths(At("d/")));
        Assert.Equal(["file", "nowhere", "sub/up"], _skipped.Select(skipped => Path.GetRelativePath(At("d"), skipped.LocalPath)).Order());

        _skipped.Clear();
        Assert.Equal(["file", "sub", "sub/f"], Paths(At("d/"), followLinks: true));
        Assert.Equal(2, _skipped.Count);
    }

    [Fact]
    public void A_path_that_is_not_there_is_an_error_that_names_it() =>
        Assert.Contains("nothing-here", Assert.Throws<CommandException>(() => Paths(At("nothing-here"))).Message, StringComparison.Ordinal);

    private string At(string path) => $"{_folder.Path}/{path}";

    private List<string> Paths(string argument, bool followLinks = false) => [.. new LocalTree(followLinks, _skipped.Add).Walk(argument).Select(entry => entry.Path)];
}
