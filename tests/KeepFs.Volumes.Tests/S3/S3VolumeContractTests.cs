using Amazon.S3.Model;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Volumes;
using KeepFs.Testing.Volumes;
using KeepFs.Volumes.S3;
using KeepFs.Volumes.Tests.Servers;

namespace KeepFs.Volumes.Tests.S3;

/// <summary>The contract on radosgw; with pages of three keys, so that listings have many.</summary>
public abstract class S3VolumeContract(RadosGateway gateway, int prefixLength) : VolumeContract
{
    private Dictionary<string, string> _parameters = [];

    protected override VolumeTraits Traits { get; } = new() { MtimeResolution = TimeSpan.FromSeconds(1), UntrashRenewsMtime = true, UntrashLeavesTrash = true };

    public override async Task InitializeAsync()
    {
        _parameters = await gateway.NewBucketAsync();
        _parameters["IndexPageSize"] = "3";
        _parameters["PrefixLength"] = $"{prefixLength}";
        _parameters["UnsafeDelete"] = "true";
    }

    protected override IVolume Create()
    {
        var options = RadosGateway.Options(_parameters, Policy);
        return new S3Volume(options, new ClockedBucket(new RemoteBucket(options.Connection, options.IndexPageSize, TimeProvider.System, null), Time));
    }

    /// <summary>The service refuses wrong bytes from the volume, so they come from elsewhere.</summary>
    protected override async Task PlantAsync(BlockHash hash, byte[] data)
    {
        using var body = new MemoryStream(data);
        var key = new S3Layout(prefixLength).Block(hash);
        await gateway.Client.PutObjectAsync(new PutObjectRequest { BucketName = _parameters["Bucket"], Key = key, InputStream = body, UseChunkEncoding = false });
        Assert.True(await Volume.TouchAsync(hash, default));
    }
}

[Collection(RadosGateway.Collection)]
public sealed class S3VolumeContractTests(RadosGateway gateway) : S3VolumeContract(gateway, prefixLength: 0);

[Collection(RadosGateway.Collection)]
public sealed class S3PrefixedVolumeContractTests(RadosGateway gateway) : S3VolumeContract(gateway, prefixLength: 3);
