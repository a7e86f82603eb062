using KeepFs.Volumes.Tests.Servers;

namespace KeepFs.Volumes.Tests.Azure;

[Collection(Azurite.Collection)]
public sealed class AzureKeepstoreTests(Azurite azurite) : ObjectKeepstoreContract("Azure")
{
    protected override Task<Dictionary<string, string>> NewParametersAsync() => azurite.NewContainerAsync();
}
