using KeepFs.Catalog.Checkpoints;
using KeepFs.Catalog.Exchange;
using KeepFs.Catalog.Records;
using KeepFs.Engine.Blocks;
using KeepFs.Hosting.Configuration;

namespace KeepFs.Catalog.Tests.Checkpoints;

/// <summary>Several processes on one database: one of them makes a checkpoint, and one that dies does not hold up the others for ever.</summary>
public sealed class SharedCheckpointTests
{
    [Theory]
    [InlineData(DatabaseKind.Sqlite)]
    [InlineData(DatabaseKind.Postgres)]
    public async Task Claim_excludes_other_processes_until_it_ends_or_its_time_is_over(DatabaseKind database)
    {
        await using var catalog = await TestCatalog.StartAsync(database);
        var context = new CatalogContext(
            new ClusterConfig { ClusterId = TestCatalog.Cluster, SystemRootToken = TestCatalog.RootToken }, catalog.Server.Database, new Uuids(TestCatalog.Cluster), new LocatorSigner("key", TimeSpan.FromHours(1)), catalog.Clock);
        var records = new CheckpointRecords(context, new BaseState(context, isTestMode: false));

        var first = await ClaimAsync("a");
        Assert.Equal(1, first!.Sequence);
        Assert.Null(await ClaimAsync("b"));
        catalog.Clock.Advance(TimeSpan.FromMinutes(9));
        Assert.True(await context.Database.WriteAsync(session => records.Renew(session, "a"), default));
        catalog.Clock.Advance(TimeSpan.FromMinutes(9));
        Assert.Null(await ClaimAsync("b"));
        catalog.Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal((2, first.Lineage), (await ClaimAsync("b") is { } second ? (second.Sequence, second.Lineage) : default));
        Assert.False(await context.Database.WriteAsync(session => records.Renew(session, "a"), default));
        await context.Database.WriteAsync(session => Release(session, "a"), default);
        Assert.Null(await ClaimAsync("a"));
        await context.Database.WriteAsync(session => Release(session, "b"), default);
        Assert.NotNull(await ClaimAsync("a"));

        Task<CheckpointState?> ClaimAsync(string process) => context.Database.WriteAsync(session => records.TryClaim(session, process), default);

        bool Release(Storage.WriteSession session, string process)
        {
            records.Release(session, process);
            return true;
        }
    }

    [Fact]
    public async Task Only_one_of_several_servers_makes_what_is_due()
    {
        await using var cluster = await CheckpointCluster.StartAsync(DatabaseKind.Postgres);
        await using var beside = await cluster.Catalog.StartBesideAsync();
        for (var round = 1; round <= 5; round++)
        {
            await cluster.SaveAsync($"collection{round}", "text");
            await Task.WhenAll(cluster.Catalog.Server.CheckpointAsync(default), beside.Server.CheckpointAsync(default));
            Assert.Equal(round, (await cluster.FindAsync()).Count);
        }

        var lines = (await cluster.RebuildAsync()).Lines;
        for (var round = 1; round <= 5; round++)
        {
            Assert.Contains($"\"collection{round}\"", lines, StringComparison.Ordinal);
        }
    }
}
