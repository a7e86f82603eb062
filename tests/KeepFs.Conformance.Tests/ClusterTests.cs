namespace KeepFs.Conformance.Tests;

/// <summary>One cluster for the tests that do not disturb it; it starts when the first asks for it.</summary>
public sealed class SharedCluster : IAsyncLifetime
{
    internal KeepFsProcess Process { get; private set; } = null!;

    public async Task InitializeAsync() => Process = await KeepFsProcess.StartAsync();

    public async Task DisposeAsync() => await Process.DisposeAsync();
}

/// <summary>All tests that start processes: one after the other, since two cores are soon busy.</summary>
[CollectionDefinition(Name)]
public sealed class ClusterTests : ICollectionFixture<SharedCluster>
{
    public const string Name = "clusters";
}
