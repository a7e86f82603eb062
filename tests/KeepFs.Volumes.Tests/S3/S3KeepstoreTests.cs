using System.Net;
using KeepFs.Engine.Blocks;
using KeepFs.Volumes.Tests.Servers;

namespace KeepFs.Volumes.Tests.S3;

[Collection(RadosGateway.Collection)]
public sealed class S3KeepstoreTests(RadosGateway gateway) : ObjectKeepstoreContract("S3")
{
    [Fact]
    public async Task Trash_at_one_while_the_other_stores_loses_no_acknowledged_block()
    {
        // By their clock every block is five minutes old, so each may be trashed at any time; the markers tell that it was stored meanwhile.
        var time = new ShiftedTime(TimeSpan.FromMinutes(5));
        const string Rules = "BlobSigningTTL: 2m, BlobTrashLifetime: 24h";
        var parameters = await NewParametersAsync();
        await using var one = await ObjectKeepstore.StartAsync("S3", parameters, time, Rules);
        await using var two = await ObjectKeepstore.StartAsync("S3", parameters, time, Rules);
        var trashed = 0;
        await Parallel.ForAsync(0, 40, new ParallelOptions { MaxDegreeOfParallelism = 6 }, async (i, _) =>
        {
            var data = BitConverter.GetBytes(i);
            var hash = BlockHash.Compute(data);
            await one.PutAsync(data);
            var trashing = one.SendAsync("DELETE", $"{hash}", token: ObjectKeepstore.SystemToken);
            var locator = await two.PutAsync(data);
            if ((await trashing).Status == HttpStatusCode.OK)
            {
                Interlocked.Increment(ref trashed);
            }

            Assert.Contains((await trashing).Status, (HttpStatusCode[])[HttpStatusCode.OK, HttpStatusCode.NotFound]);
            await AssertReadAsync(two, locator, data);
            await AssertReadAsync(one, locator, data);
        });

        Assert.InRange(trashed, 1, 40);
    }

    protected override Task<Dictionary<string, string>> NewParametersAsync() => gateway.NewBucketAsync();
}
