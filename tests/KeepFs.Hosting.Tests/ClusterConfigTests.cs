using KeepFs.Hosting.Configuration;

namespace KeepFs.Hosting.Tests;

public sealed class ClusterConfigTests
{
    private const string Sample = """
        Clusters:
          zzzzz:
            SystemRootToken: "secret: \"quoted\" # not a comment"
            API:
              MaxConcurrentRequests: 7
              RequestTimeout: 1m30s
              FreezeProjectRequiresDescription: true
            Collections:
              BlobSigningKey: abc
              BlobTrash: false
            Services:
              Keepstore:
                InternalURLs:
                  "http://keep0.example:25107": {Rendezvous: 012345678901234}
                  "http://keep1.example:25107": {}
            StorageClasses:
              default: {Default: true, Priority: 10}
              archive:
            Volumes:
              zzzzz-nyw5e-000000000000000:
                Driver: Directory
                DriverParameters: {Root: /mnt/keep, Serialize: true}
                AccessViaHosts:
                  "http://keep0.example:25107": {ReadOnly: true}
                Replication: 2
                StorageClasses: {default: true, archive: false}
        """;

    [Fact]
    public void Arvados_config_is_loaded_with_defaults_and_warnings()
    {
        var (config, warnings) = ClusterConfigLoader.Parse(Sample, "sample");

        Assert.Equal("zzzzz", config.ClusterId);
        Assert.Equal("secret: \"quoted\" # not a comment", config.SystemRootToken);
        Assert.Equal((7, 128, TimeSpan.FromSeconds(90)), (config.API.MaxConcurrentRequests, config.API.MaxQueuedRequests, config.API.RequestTimeout));
        Assert.Equal((false, TimeSpan.FromHours(336)), (config.Collections.BlobTrash, config.Collections.BlobSigningTTL));
        Assert.Equal("012345678901234", config.Services.Keepstore.InternalURLs["http://keep0.example:25107"].Rendezvous);
        Assert.Equal("", config.Services.Keepstore.InternalURLs["http://keep1.example:25107"].Rendezvous);
        Assert.Equal((true, 10), (config.StorageClasses["default"].Default, config.StorageClasses["default"].Priority));
        Assert.False(config.StorageClasses["archive"].Default);
        var volume = config.Volumes["zzzzz-nyw5e-000000000000000"];
        Assert.Equal(("/mnt/keep", "true", 2), (volume.DriverParameters["Root"], volume.DriverParameters["Serialize"], volume.Replication));
        Assert.True(volume.AccessViaHosts["http://keep0.example:25107"].ReadOnly);
        Assert.False(volume.StorageClasses["archive"]);
        Assert.Equal(["Clusters.zzzzz.API.FreezeProjectRequiresDescription: not known here, ignored (line 7)"], warnings);
    }

    [Fact]
    public void Written_config_loads_back_to_the_same()
    {
        var sample = ClusterConfigLoader.Parse(Sample, "sample").Config;
        var managed = new Dictionary<string, ManagedPropertyConfig>
        {
            ["responsible_person_uuid"] = new() { Function = "original_owner", Protected = true },
            ["site: a"] = new() { Value = "\"quoted\" #" },
        };
        var config = sample with { ManagementToken = "tab\tnewline\nü\u2028☃", Collections = sample.Collections with { ManagedProperties = managed } };
        var yaml = ClusterConfigWriter.ToYaml(config);

        var (loaded, warnings) = ClusterConfigLoader.Parse(yaml, "written");

        Assert.Empty(warnings);
        Assert.Equal(yaml, ClusterConfigWriter.ToYaml(loaded));
        Assert.Equal(config.ManagementToken, loaded.ManagementToken);
        Assert.Equal(config.API, loaded.API);
        Assert.Equal(managed, loaded.Collections.ManagedProperties);
        Assert.Equal(config.Collections, loaded.Collections with { ManagedProperties = managed });
        Assert.Equal(config.Services.Keepstore.InternalURLs, loaded.Services.Keepstore.InternalURLs);
        Assert.Equal(config.StorageClasses, loaded.StorageClasses);
        Assert.Equal(config.Volumes.Keys, loaded.Volumes.Keys);
        Assert.Equal(config.Volumes.Values.Single().DriverParameters, loaded.Volumes.Values.Single().DriverParameters);
        Assert.Equal(config.Volumes.Values.Single().AccessViaHosts, loaded.Volumes.Values.Single().AccessViaHosts);
        Assert.Equal(config.Volumes.Values.Single().StorageClasses, loaded.Volumes.Values.Single().StorageClasses);
    }

    [Fact]
    public void Default_config_is_short_and_loads_back() =>
        Assert.Equal("zzzzz", ClusterConfigLoader.Parse(ClusterConfigWriter.ToYaml(new ClusterConfig { ClusterId = "zzzzz" }), "default").Config.ClusterId);

    [Fact]
    public void All_faults_are_reported_at_once_with_their_path()
    {
        var failure = Assert.Throws<ConfigException>(() => ClusterConfigLoader.Parse(
            """
            Clusters:
              ZZ:
                API: {MaxItemsPerResponse: many, RequestTimeout: 5}
                Collections: {BlobSigning: maybe, DefaultReplication: 0}
                Services: {Keepstore: {InternalURLs: {"keep0:25107": {Rendezvous: short}}}}
                Volumes: {vol1: {Replication: [1]}}
                Users: text
            """,
            "config.yml"));

        Assert.Equal(
            [
                "Clusters.ZZ.API.MaxItemsPerResponse: 'many' is not a number that fits (line 3)",
                "Clusters.ZZ.API.RequestTimeout: '5' is not a duration like 336h0m0s (line 3)",
                "Clusters.ZZ.Collections.BlobSigning: 'maybe' is not true or false (line 4)",
                "Clusters.ZZ.Volumes.vol1.Replication: expected one value (line 6)",
                "Clusters.ZZ.Users: expected keys and values (line 7)",
                "Clusters.ZZ: a cluster id is five characters [a-z0-9]",
                "Clusters.ZZ.Collections.DefaultReplication: must be positive",
                "Clusters.ZZ.Services.Keepstore.InternalURLs.keep0:25107: must be an http or https URL",
                "Clusters.ZZ.Services.Keepstore.InternalURLs.keep0:25107.Rendezvous: must be exactly 15 characters [A-Za-z0-9]",
                "Clusters.ZZ.Volumes.vol1: a volume's UUID has the form zzzzz-nyw5e-000000000000000",
            ],
            failure.Faults);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Clusters: {}")]
    [InlineData("Clusters: {aaaaa: {}, bbbbb: {}}")]
    [InlineData("Clusters: {aaaaa: {}, aaaaa: {}}")]
    [InlineData("Clusters: [")]
    public void Text_without_exactly_one_cluster_is_refused(string yaml) =>
        Assert.Single(Assert.Throws<ConfigException>(() => ClusterConfigLoader.Parse(yaml, "config.yml")).Faults);
}
