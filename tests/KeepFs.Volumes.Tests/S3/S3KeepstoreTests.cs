using KeepFs.Volumes.Tests.Servers;

namespace KeepFs.Volumes.Tests.S3;

[Collection(RadosGateway.Collection)]
public sealed class S3KeepstoreTests(RadosGateway gateway) : ObjectKeepstoreContract("S3")
{
    protected override Task<Dictionary<string, string>> NewParametersAsync() => gateway.NewBucketAsync();
}
