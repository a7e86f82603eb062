using KeepFs.Engine.Blocks;
using KeepFs.Engine.Volumes;
using KeepFs.Testing.Volumes;
using KeepFs.Volumes.S3;
using KeepFs.Volumes.Tests.Servers;

namespace KeepFs.Volumes.Tests.S3;

/// <summary>
/// The state table of keepstore-http.md 11.2: what each operation does for each combination of ages of block, marker and trash, with a
/// minimum age of 1h, a lifetime in the trash of 1h, and a race window of 5m. Ages in the form of the table; "-" is absent.
/// </summary>
[Collection(RadosGateway.Collection)]
public sealed class S3StateTableTests(RadosGateway gateway)
{
    private static readonly CancellationToken None = CancellationToken.None;
    private static readonly byte[] Data = "the block"u8.ToArray();
    private readonly ManualTime _time = new();

    [Theory]
    [InlineData("-", "-", "-", false, false, false, false, false)]
    [InlineData("48h", "-", "-", true, true, true, false, false)]
    [InlineData("24h", "2h", "-", true, true, false, false, false)]
    [InlineData("24h", "30m", "-", true, true, true, false, false)]
    [InlineData("24h", "3m", "2m", true, true, true, true, true)]
    [InlineData("24h", "12h", "59m", true, false, true, true, true)]
    [InlineData("24h", "12h", "61m", true, false, true, true, false)]
    [InlineData("24h", "12h", "12h", true, false, true, true, true)]
    [InlineData("1s", "1s", "12h", true, true, true, true, false)]
    [InlineData("24h", "24h", "12h", true, false, true, true, false)]
    [InlineData("-", "12h", "1m", false, false, false, true, true)]
    [InlineData("-", "12h", "59m", false, false, false, true, true)]
    [InlineData("-", "12h", "2h", false, false, false, true, false)]
    [InlineData("-", "30m", "29m", true, false, true, true, true)]
    [InlineData("-", "90m", "89m", true, false, true, true, true)]
    [InlineData("-", "-", "1m", false, false, false, true, true)]
    public async Task Ages_decide(
        string block, string recent, string trash, bool isRead, bool mayTrash, bool isReadAfterTrash, bool isUntrashed, bool isTrashKept)
    {
        Assert.Equal(isRead, await WithAsync(volume => IsReadAsync(volume.Volume)));
        Assert.Equal((mayTrash, isReadAfterTrash), await WithAsync(async volume => (await TrashAsync(volume.Volume), await IsReadAsync(volume.Volume))));
        Assert.Equal((isUntrashed, isUntrashed || isRead), await WithAsync(async volume => (await volume.Volume.UntrashAsync(Hash, None), await IsReadAsync(volume.Volume))));

        var (kept, hadMarker, isFresh) = await WithAsync(async volume =>
        {
            var totals = await volume.Volume.EmptyTrashAsync(2, None);
            Assert.Equal(0, totals.Failures);
            Assert.Equal(trash == "-" ? 0 : 1, totals.KeptBlocks + totals.DeletedBlocks);
            var marker = await volume.Bucket.HeadAsync("recent/" + Hash, None);
            return (await volume.Bucket.HeadAsync("trash/" + Hash, None) is not null, marker is not null, marker?.LastModified == volume.Now);
        });
        Assert.Equal(isTrashKept, kept);

        // "Marker fresh": when nothing tells why it is in the trash, and when the marker would soon not tell any more that there was a race.
        Assert.Equal((recent, trash) is ("12h", "12h") or ("90m", "89m") or ("-", "1m"), isFresh);

        // The marker goes with the trash, except that it stays with a block that is there.
        var isGone = trash != "-" && !isTrashKept && block == "-";
        Assert.Equal((recent != "-" || isFresh) && !isGone, hadMarker);

        Task<T> WithAsync<T>(Func<(S3Volume Volume, ClockedBucket Bucket, DateTimeOffset Now), Task<T>> work) => InStateAsync(block, recent, trash, work);
    }

    private static BlockHash Hash { get; } = BlockHash.Compute(Data);

    private async Task<T> InStateAsync<T>(string block, string recent, string trash, Func<(S3Volume Volume, ClockedBucket Bucket, DateTimeOffset Now), Task<T>> work)
    {
        var parameters = await gateway.NewBucketAsync();
        parameters["RaceWindow"] = "5m";
        var options = RadosGateway.Options(parameters, new TrashPolicy(TimeSpan.FromHours(1), TimeSpan.FromHours(1), _time));
        var bucket = new ClockedBucket(new RemoteBucket(options.Connection, options.IndexPageSize, TimeProvider.System, null), _time);
        await using var volume = new S3Volume(options, bucket);
        await PutAsync($"{Hash}", block, Data);
        await PutAsync($"recent/{Hash}", recent, []);
        await PutAsync($"trash/{Hash}", trash, Data);
        return await work((volume, bucket, DateTimeOffset.FromUnixTimeSeconds(_time.GetUtcNow().ToUnixTimeSeconds())));

        async Task PutAsync(string key, string age, byte[] data)
        {
            if (age != "-")
            {
                Assert.True(GoDuration.TryParse(age, out var duration));
                await bucket.PutAsync(key, data, Convert.ToBase64String(System.Security.Cryptography.MD5.HashData(data)), None);
                bucket.SetAge(key, duration);
            }
        }
    }

    private static async Task<bool> IsReadAsync(S3Volume volume)
    {
        var read = new byte[Data.Length];
        if (await volume.ReadAsync(Hash, read, None) is not { } size)
        {
            return false;
        }

        Assert.Equal(Data.Length, size);
        Assert.Equal(Data, read);
        return true;
    }

    /// <summary>True: no error, though perhaps nothing was done.</summary>
    private static async Task<bool> TrashAsync(S3Volume volume)
    {
        try
        {
            return await volume.TrashAsync(Hash, None) != TrashOutcome.NotFound;
        }
        catch (KeepException)
        {
            return false;
        }
    }
}
