using System.Net;
using KeepFs.Cli.Up;
using KeepFs.Hosting.Configuration;
using KeepFs.Testing.Volumes;

namespace KeepFs.Cli.Tests.Up;

public sealed class ClusterPlanTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void First_start_makes_one_keepstore_for_each_volume_and_two_copies_when_there_are_two()
    {
        using var data = DataFolder.Open(At("data"));
        var one = ClusterPlan.Make(data, Options(), null);
        Assert.Equal((1, 1), (Folders(one), one.Collections.DefaultReplication));
        var two = ClusterPlan.Make(data, Options([At("a"), At("b")]), null);
        Assert.Equal((2, 2), (Folders(two), two.Collections.DefaultReplication));
        Assert.Equal(["http://127.0.0.1:25107/", "http://127.0.0.1:25108/"], two.Services.Keepstore.InternalURLs.Keys.Order());
        Assert.All(two.Services.Keepstore.InternalURLs.Values, url => Assert.Equal(15, url.Rendezvous.Length));
    }

    [Fact]
    public void Identities_survive_new_ports_new_volumes_and_the_file()
    {
        using var data = DataFolder.Open(At("data"));
        var first = ClusterPlan.Make(data, Options([At("a"), At("b")]), null);
        data.WriteConfig(first);
        var next = ClusterPlan.Make(data, Options([At("c")], portBase: 31000), ClusterConfigLoader.Load(data.ConfigFile).Config);
        Assert.Equal(first.ClusterId, next.ClusterId);
        Assert.Equal(first.Collections.BlobSigningKey, next.Collections.BlobSigningKey);
        Assert.Equal(3, Folders(next));
        Assert.Equal(first.Services.Keepgw.InternalURLs.Values.Single().Rendezvous, next.Services.Keepgw.InternalURLs.Values.Single().Rendezvous);
        foreach (var (uuid, volume) in first.Volumes)
        {
            Assert.Equal(ClusterPlan.RootOf(volume), ClusterPlan.RootOf(next.Volumes[uuid]));
            Assert.Equal(Rendezvous(first, uuid), Rendezvous(next, uuid));
        }

        Assert.Equal("https://127.0.0.1:31000/", next.Services.Controller.ExternalURL);
    }

    [Fact]
    public void Cluster_id_is_what_was_asked_for_at_the_first_start_and_never_changes()
    {
        using var data = DataFolder.Open(At("data"));
        var first = ClusterPlan.Make(data, Options() with { ClusterId = "zzzzz" }, null);
        Assert.Equal("zzzzz", first.ClusterId);
        Assert.All(first.Volumes.Keys, uuid => Assert.StartsWith("zzzzz-nyw5e-", uuid, StringComparison.Ordinal));
        data.WriteConfig(first);
        var kept = ClusterConfigLoader.Load(data.ConfigFile).Config;
        Assert.Equal("zzzzz", ClusterPlan.Make(data, Options(), kept).ClusterId);
        Assert.Equal("zzzzz", ClusterPlan.Make(data, Options() with { ClusterId = "zzzzz" }, kept).ClusterId);
        var refused = Assert.Throws<CommandException>(() => ClusterPlan.Make(data, Options() with { ClusterId = "zzzz1" }, kept));
        Assert.Contains("holds the cluster zzzzz", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("zzzz")]
    [InlineData("zzzzzz")]
    [InlineData("ZZZZZ")]
    [InlineData("zz-zz")]
    [InlineData("zzzzé")]
    public void Malformed_cluster_id_is_refused(string id)
    {
        using var data = DataFolder.Open(At("data"));
        Assert.Contains("five characters", Assert.Throws<CommandException>(() => ClusterPlan.Make(data, Options() with { ClusterId = id }, null)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Beyond_loopback_everything_is_encrypted()
    {
        using var data = DataFolder.Open(At("data"));
        var config = ClusterPlan.Make(data, Options() with { Listen = IPAddress.Parse("192.0.2.1") }, null);
        Assert.All([config.Services.WebDAV.ExternalURL, .. config.Services.Keepstore.InternalURLs.Keys], url => Assert.StartsWith("https://192.0.2.1:", url, StringComparison.Ordinal));
    }

    [Fact]
    public void A_volume_that_is_gone_stops_the_start()
    {
        using var data = DataFolder.Open(At("data"));
        var first = ClusterPlan.Make(data, Options([At("a")]), null);
        Directory.Delete(At("a"));
        Assert.Contains("Is its disk mounted", Assert.Throws<CommandException>(() => ClusterPlan.Make(data, Options(), first)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Data_is_for_one_process_and_its_owner_only()
    {
        using var data = DataFolder.Open(At("data"));
        Assert.Contains("Another `keepfs up`", Assert.Throws<CommandException>(() => DataFolder.Open(At("data"))).Message, StringComparison.Ordinal);
        var token = data.AdminToken("zzzzz");
        Assert.Equal(token, data.AdminToken("zzzzz"));
        data.EnsureCertificate(["localhost", "127.0.0.1"], TimeProvider.System);
        data.WriteEnv([("A", "b")]);
        Assert.All(
            Directory.EnumerateFiles(At("data"), "*", SearchOption.AllDirectories),
            file => Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(file) & ~(UnixFileMode.UserRead | UnixFileMode.UserWrite)));
        Assert.True(SelfSigned.IsGoodFor(data.CertificateFile, ["localhost", "127.0.0.1"], TimeProvider.System));
        Assert.False(SelfSigned.IsGoodFor(data.CertificateFile, ["elsewhere"], TimeProvider.System));
    }

    private static string Rendezvous(ClusterConfig config, string volume) =>
        config.Services.Keepstore.InternalURLs.Concat(config.Services.Keepgw.InternalURLs).Single(url => config.Volumes[volume].AccessViaHosts.ContainsKey(url.Key)).Value.Rendezvous;

    private static int Folders(ClusterConfig config) => config.Volumes.Values.Count(volume => volume.Driver == "Directory");

    private string At(string path) => $"{_folder.Path}/{path}";

    private UpOptions Options(IReadOnlyList<string>? volumes = null, int? portBase = null) => new(At("data"), volumes ?? [], null, IPAddress.Loopback, portBase);
}
