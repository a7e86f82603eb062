using KeepFs.Engine.Blocks;
using KeepFs.Engine.Volumes;
using KeepFs.Testing.Volumes;
using KeepFs.Volumes.S3;
using KeepFs.Volumes.Tests.Servers;

namespace KeepFs.Volumes.Tests.S3;

/// <summary>What two servers of one bucket do to each other at the worst moment (keepstore-http.md 11.2).</summary>
[Collection(RadosGateway.Collection)]
public sealed class S3RaceTests(RadosGateway gateway)
{
    private static readonly byte[] Data = "foo"u8.ToArray();
    private static readonly BlockHash Hash = BlockHash.Compute(Data);
    private readonly ManualTime _time = new();

    [Fact]
    public async Task Touch_just_before_the_deletion_is_repaired_by_the_next_read()
    {
        var (options, bucket) = await OpenAsync();
        await using var other = new S3Volume(options, bucket);
        await other.WriteAsync(Hash, Data, default);
        _time.Advance(TimeSpan.FromHours(1));
        var trashing = new S3Volume(options, new InterruptedBucket(bucket, $"delete {Hash}", async () => Assert.True(await other.TouchAsync(Hash, default))));

        Assert.Equal(TrashOutcome.Trashed, await trashing.TrashAsync(Hash, default));
        Assert.Null(await bucket.HeadAsync($"{Hash}", default));

        Assert.Equal(CopyState.Identical, await other.CompareAsync(Hash, Data, default));
        Assert.NotNull(await bucket.HeadAsync($"{Hash}", default));
    }

    [Fact]
    public async Task Touch_just_before_the_deletion_is_repaired_by_the_next_touch()
    {
        var (options, bucket) = await OpenAsync();
        await using var other = new S3Volume(options, bucket);
        await other.WriteAsync(Hash, Data, default);
        _time.Advance(TimeSpan.FromHours(1));
        var trashing = new S3Volume(options, new InterruptedBucket(bucket, $"delete {Hash}", async () => Assert.True(await other.TouchAsync(Hash, default))));
        await trashing.TrashAsync(Hash, default);

        _time.Advance(TimeSpan.FromDays(1));
        Assert.True(await trashing.TouchAsync(Hash, default));
        Assert.Equal(Data.Length, await other.ReadAsync(Hash, new byte[3], default));
    }

    [Fact]
    public async Task Write_just_before_the_deletion_survives_the_emptier()
    {
        var (options, bucket) = await OpenAsync();
        await using var other = new S3Volume(options, bucket);
        await other.WriteAsync(Hash, Data, default);
        _time.Advance(TimeSpan.FromHours(1));
        var trashing = new S3Volume(options, new InterruptedBucket(bucket, $"delete {Hash}", async () => await other.WriteAsync(Hash, Data, default)));
        await trashing.TrashAsync(Hash, default);

        // Nobody read it for long; the emptier must not take the only copy.
        _time.Advance(TimeSpan.FromDays(30));
        Assert.Equal(new TrashTotals(0, 0, 1, 3, 0, 0), await other.EmptyTrashAsync(2, default));
        Assert.NotNull(await bucket.HeadAsync($"{Hash}", default));
        Assert.Equal(CopyState.Identical, await other.CompareAsync(Hash, Data, default));
    }

    [Fact]
    public async Task Touch_while_the_copy_is_made_stops_the_trashing()
    {
        var (options, bucket) = await OpenAsync();
        await using var other = new S3Volume(options, bucket);
        await other.WriteAsync(Hash, Data, default);
        _time.Advance(TimeSpan.FromHours(1));
        var trashing = new S3Volume(options, new InterruptedBucket(bucket, $"copy {Hash}", async () => Assert.True(await other.TouchAsync(Hash, default))));

        Assert.Equal(TrashOutcome.TooYoung, await trashing.TrashAsync(Hash, default));
        Assert.NotNull(await bucket.HeadAsync($"{Hash}", default));
    }

    [Fact]
    public async Task Block_without_marker_counts_as_fresh()
    {
        var (options, bucket) = await OpenAsync();
        await using var volume = new S3Volume(options, bucket);
        await bucket.PutAsync($"{Hash}", Data, Convert.ToBase64String(System.Security.Cryptography.MD5.HashData(Data)), default);
        bucket.SetAge($"{Hash}", TimeSpan.FromDays(100));

        Assert.Equal(TrashOutcome.TooYoung, await volume.TrashAsync(Hash, default));
        Assert.NotNull(await bucket.HeadAsync($"recent/{Hash}", default));
    }

    private async Task<(S3VolumeOptions Options, ClockedBucket Bucket)> OpenAsync()
    {
        var parameters = await gateway.NewBucketAsync();
        parameters["RaceWindow"] = "5m";
        var options = RadosGateway.Options(parameters, new TrashPolicy(TimeSpan.FromHours(1), TimeSpan.FromHours(24), _time));
        return (options, new ClockedBucket(new RemoteBucket(options.Connection, options.IndexPageSize, TimeProvider.System, null), _time));
    }
}
