using System.Runtime.CompilerServices;
using KeepFs.Engine.Volumes;
using KeepFs.Volumes.Azure;

namespace KeepFs.Volumes.Tests.Servers;

/// <summary>A real Azurite, one for all tests of the collection.</summary>
public sealed class Azurite : IAsyncLifetime
{
    /// <summary>Name of the collection that shares it.</summary>
    public const string Collection = "azurite";

    // Built into Azurite and told in its documentation.
    private const string Account = "devstoreaccount1";
    private const string Key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
    private ServerScript? _script;
    private string _url = "";
    private int _containers;

    /// <summary>DriverParameters of a new, empty container.</summary>
    public async Task<Dictionary<string, string>> NewContainerAsync()
    {
        var parameters = ParametersOf($"container-{Interlocked.Increment(ref _containers)}");
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Put, $"{_url}/{Account}/{parameters["ContainerName"]}?restype=container") { Content = new ByteArrayContent([]) };
        new SharedKey(Account, Convert.FromBase64String(Key), TimeProvider.System).Sign(request);
        using var response = await client.SendAsync(request);
        response.EnsureSuccessStatusCode();
        return parameters;
    }

    /// <summary>DriverParameters of a container.</summary>
    public Dictionary<string, string> ParametersOf(string container) => new()
    {
        ["StorageBaseURL"] = _url,
        ["StorageAccountName"] = Account,
        ["StorageAccountKey"] = Key,
        ["ContainerName"] = container,
    };

    /// <summary>The options that parameters give; they must have no fault.</summary>
    internal static AzureVolumeOptions Options(IReadOnlyDictionary<string, string> parameters, TrashPolicy trash)
    {
        var faults = new List<string>();
        var options = AzureVolumeOptions.Parse(new DriverParameters(parameters, "DriverParameters", faults), trash);
        Assert.Empty(faults);
        return options;
    }

    /// <inheritdoc/>
    public async Task InitializeAsync() => (_script, _url) = await ServerScript.StartAsync("azurite.sh", "Azurite Blob service successfully listens on ", PackageFolder());

    /// <inheritdoc/>
    public async Task DisposeAsync()
    {
        if (_script is not null)
        {
            await _script.DisposeAsync();
        }
    }

    private static string PackageFolder([CallerFilePath] string here = "")
    {
        var folder = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", "..", "..", ".build", "azurite"));
        return Directory.Exists(Path.Combine(folder, "node_modules", "azurite")) ? folder : throw new InvalidOperationException($"There is no Azurite in {folder}: run check.sh, which installs it.");
    }
}

/// <summary>Binds the collection to its server.</summary>
[CollectionDefinition(Azurite.Collection)]
public sealed class AzuriteTests : ICollectionFixture<Azurite>;
