using System.Security.Cryptography;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Volumes;
using KeepFs.Testing.Volumes;
using KeepFs.Volumes.Azure;
using KeepFs.Volumes.Tests.Servers;

namespace KeepFs.Volumes.Tests.Azure;

/// <summary>The contract on Azurite; with pages of three blobs, so that listings have many.</summary>
public abstract class AzureVolumeContract(Azurite azurite, int maxGetBytes) : VolumeContract
{
    private Dictionary<string, string> _parameters = [];

    protected override VolumeTraits Traits { get; } = new() { MtimeResolution = TimeSpan.FromSeconds(1), UntrashRenewsMtime = true, WriteReplacesTrash = true };

    public override async Task InitializeAsync()
    {
        _parameters = await azurite.NewContainerAsync();
        _parameters["MaxGetBytes"] = $"{maxGetBytes}";
    }

    protected override IVolume Create()
    {
        var options = Azurite.Options(_parameters, Policy) with { PageSize = 3, WriteRaceInterval = TimeSpan.Zero };
        return new AzureVolume(options, new ClockedContainer(new AzureContainer(options, null), Time));
    }

    /// <summary>The service refuses wrong bytes from the volume, so they come from elsewhere.</summary>
    protected override async Task PlantAsync(BlockHash hash, byte[] data)
    {
        using var container = new AzureContainer(Azurite.Options(_parameters, Policy), null);
        await container.PutAsync(hash.ToString(), data, Convert.ToBase64String(MD5.HashData(data)), default);
        Assert.True(await Volume.TouchAsync(hash, default));
    }
}

[Collection(Azurite.Collection)]
public sealed class AzureVolumeContractTests(Azurite azurite) : AzureVolumeContract(azurite, maxGetBytes: 0);

[Collection(Azurite.Collection)]
public sealed class AzureRangedVolumeContractTests(Azurite azurite) : AzureVolumeContract(azurite, maxGetBytes: 100_000);
