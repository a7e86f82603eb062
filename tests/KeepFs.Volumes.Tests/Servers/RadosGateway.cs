using Amazon.S3;
using KeepFs.Engine.Volumes;
using KeepFs.Volumes.S3;

namespace KeepFs.Volumes.Tests.Servers;

/// <summary>A real Ceph radosgw, one for all tests of the collection.</summary>
public sealed class RadosGateway : IAsyncLifetime
{
    /// <summary>Name of the collection that shares it.</summary>
    public const string Collection = "radosgw";

    private const string AccessKey = "KEEPFSACCESSKEY";
    private const string SecretKey = "keepfs-secret-key-of-the-tests";
    private ServerScript? _script;
    private IAmazonS3? _client;
    private string _endpoint = "";
    private int _buckets;

    /// <summary>The client of the tests themselves.</summary>
    internal IAmazonS3 Client => _client!;

    /// <summary>DriverParameters of a new, empty bucket.</summary>
    public async Task<Dictionary<string, string>> NewBucketAsync()
    {
        var name = $"bucket-{Interlocked.Increment(ref _buckets)}";
        await Client.PutBucketAsync(name);
        return ParametersOf(name);
    }

    /// <summary>DriverParameters of a bucket.</summary>
    public Dictionary<string, string> ParametersOf(string bucket) => new()
    {
        ["Bucket"] = bucket,
        ["Endpoint"] = _endpoint,
        ["AccessKeyID"] = AccessKey,
        ["SecretAccessKey"] = SecretKey,
        ["UsePathStyle"] = "true",
    };

    /// <summary>The options that parameters give; they must have no fault.</summary>
    internal static S3VolumeOptions Options(IReadOnlyDictionary<string, string> parameters, TrashPolicy trash)
    {
        var faults = new List<string>();
        var options = S3VolumeOptions.Parse(new DriverParameters(parameters, "DriverParameters", faults), trash);
        Assert.Empty(faults);
        return options;
    }

    /// <inheritdoc/>
    public async Task InitializeAsync()
    {
        var ports = ServerScript.FreePorts(2);
        _endpoint = $"http://127.0.0.1:{ports[1]}";
        (_script, _) = await ServerScript.StartAsync("radosgw.sh", "READY", $"{ports[0]}", $"{ports[1]}", AccessKey, SecretKey);
        _client = S3Clients.Create(S3ConnectionOptions.Parse(new DriverParameters(ParametersOf("any"), "", [])));
    }

    /// <inheritdoc/>
    public async Task DisposeAsync()
    {
        _client?.Dispose();
        if (_script is not null)
        {
            await _script.DisposeAsync();
        }
    }
}

/// <summary>Binds the collection to its server.</summary>
[CollectionDefinition(RadosGateway.Collection)]
public sealed class RadosGatewayTests : ICollectionFixture<RadosGateway>;
