using System.Net;
using KeepFs.Hosting.Configuration;
using KeepFs.KeepstoreHost;

namespace KeepFs.Volumes.Tests;

/// <summary>A keepstore with wrong DriverParameters does not start, and all that is wrong is told with its path.</summary>
public sealed class DriverParameterTests
{
    private const string Path = "Clusters.zzzzz.Volumes.zzzzz-nyw5e-000000000000000";

    [Fact]
    public void S3_faults_are_all_told() => AssertFaults(
        "S3",
        new()
        {
            ["AccessKeyID"] = "key",
            ["Endpoint"] = "not a url",
            ["V2Signature"] = "true",
            ["IndexPageSize"] = "0",
            ["ConnectTimeout"] = "5",
            ["ReadTimeout"] = "0",
            ["RaceWindow"] = "-1h",
            ["PrefixLength"] = "40",
            ["UnsafeDelete"] = "perhaps",
            ["UsePathStyle"] = "2",
        },
        "Bucket", "SecretAccessKey", "Endpoint", "V2Signature", "IndexPageSize", "ConnectTimeout", "ReadTimeout", "RaceWindow", "PrefixLength", "UnsafeDelete", "UsePathStyle");

    [Fact]
    public void S3_needs_a_region_or_an_endpoint() => AssertFaults("S3", new() { ["Bucket"] = "blocks" }, "Region");

    [Fact]
    public void Azure_faults_are_all_told() => AssertFaults(
        "Azure",
        new()
        {
            ["StorageAccountKey"] = "%",
            ["StorageBaseURL"] = "ftp://somewhere",
            ["RequestTimeout"] = "soon",
            ["ListBlobsRetryDelay"] = "-1s",
            ["ListBlobsMaxAttempts"] = "0",
            ["MaxGetBytes"] = "-1",
            ["WriteRaceInterval"] = "x",
            ["WriteRacePollTime"] = "0",
        },
        "StorageAccountKey", "StorageAccountName", "ContainerName", "StorageBaseURL", "RequestTimeout", "ListBlobsRetryDelay", "ListBlobsMaxAttempts", "MaxGetBytes", "WriteRaceInterval", "WriteRacePollTime");

    [Fact]
    public void Unknown_driver_is_told() => Assert.Equal([$"{Path}.Driver: 'Tape' is not known; use Directory, S3, Azure, DirectoryGateway or S3Gateway"], Faults("Tape", []));

    [Fact]
    public void Parameters_of_other_drivers_are_ignored() => Assert.Empty(Faults("S3", new() { ["Bucket"] = "blocks", ["Region"] = "eu-west-1", ["Root"] = "/x", ["MaxGetBytes"] = "1" }));

    private static void AssertFaults(string driver, Dictionary<string, string> parameters, params string[] keys)
    {
        var faults = Faults(driver, parameters);
        Assert.Equal(keys.Order(StringComparer.Ordinal), faults.Select(fault => fault[$"{Path}.DriverParameters.".Length..fault.IndexOf(": ", StringComparison.Ordinal)]).Order(StringComparer.Ordinal));
    }

    private static IReadOnlyList<string> Faults(string driver, Dictionary<string, string> parameters)
    {
        var config = ClusterConfigLoader.Parse(ObjectKeepstore.Yaml(driver, parameters), "config.yml").Config;
        try
        {
            KeepstoreServer.Create(config, "http://keep0.zzzzz.example:25107/", new KeepstoreServerOptions { Listen = new IPEndPoint(IPAddress.Loopback, 0) });
            return [];
        }
        catch (ConfigException e)
        {
            return e.Faults;
        }
    }
}
