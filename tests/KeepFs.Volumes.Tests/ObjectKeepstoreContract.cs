using System.Net;
using KeepFs.Engine.Blocks;

namespace KeepFs.Volumes.Tests;

/// <summary>Keepstores over HTTP with a volume in a real object store. A subclass gives the store.</summary>
public abstract class ObjectKeepstoreContract(string driver)
{
    /// <summary>DriverParameters of a new, empty place.</summary>
    protected abstract Task<Dictionary<string, string>> NewParametersAsync();

    [Fact]
    public async Task Block_goes_in_and_out_over_HTTP()
    {
        var parameters = await NewParametersAsync();
        await using var keepstore = await ObjectKeepstore.StartAsync(driver, parameters);
        var data = new byte[3_000_000];
        new Random(3).NextBytes(data);

        var locator = await keepstore.PutAsync(data);

        var (status, body, _) = await keepstore.SendAsync("GET", locator);
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.True(data.AsSpan().SequenceEqual(body));
        Assert.Equal(HttpStatusCode.OK, (await keepstore.SendAsync("HEAD", locator)).Status);

        // Again: compared and touched, not stored again.
        Assert.Equal(locator[..40], (await keepstore.PutAsync(data))[..40]);
        var metrics = await keepstore.TextAsync("metrics", "manage");
        Assert.Contains($"direction=\"out\"}} {data.Length}\n", metrics, StringComparison.Ordinal);
        Assert.Contains("operation=\"get\"}", metrics, StringComparison.Ordinal);
        var mounts = await keepstore.TextAsync("mounts", ObjectKeepstore.SystemToken);
        Assert.Contains($"\"device_id\":\"{driver.ToLowerInvariant()}://", mounts, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_keepstores_share_one_place()
    {
        var parameters = await NewParametersAsync();
        await using var one = await ObjectKeepstore.StartAsync(driver, parameters);
        await using var two = await ObjectKeepstore.StartAsync(driver, parameters);
        var blocks = Enumerable.Range(0, 20).Select(BitConverter.GetBytes).ToArray();
        await Parallel.ForEachAsync(blocks, async (data, _) =>
        {
            // The same block at both at the same time, and each reads what the other stored.
            var locators = await Task.WhenAll(one.PutAsync(data), two.PutAsync(data));
            Assert.Equal(data, (await two.SendAsync("GET", locators[0])).Body);
            Assert.Equal(data, (await one.SendAsync("GET", locators[1])).Body);
        });

        var index = await one.TextAsync("index", ObjectKeepstore.SystemToken);
        Assert.Equal(index, await two.TextAsync("index", ObjectKeepstore.SystemToken));
        var hashes = index.TrimEnd('\n').Split('\n').Select(line => line.Split('+')[0]).ToArray();
        Assert.Equal(blocks.Select(data => BlockHash.Compute(data).ToString()).Order(StringComparer.Ordinal), hashes);
    }

    [Fact]
    public async Task Trashed_block_can_be_untrashed_over_HTTP()
    {
        var time = new ShiftedTime(TimeSpan.FromMinutes(5));
        await using var keepstore = await ObjectKeepstore.StartAsync(driver, await NewParametersAsync(), time, "BlobSigningTTL: 2m, BlobTrashLifetime: 24h");
        var data = "untrash me"u8.ToArray();
        var hash = BlockHash.Compute(data);
        var locator = await keepstore.PutAsync(data);

        Assert.Equal(HttpStatusCode.OK, (await keepstore.SendAsync("DELETE", $"{hash}", token: ObjectKeepstore.SystemToken)).Status);
        Assert.Equal("\n", await keepstore.TextAsync("index", ObjectKeepstore.SystemToken));

        Assert.Equal(HttpStatusCode.OK, (await keepstore.SendAsync("PUT", $"untrash/{hash}", token: ObjectKeepstore.SystemToken)).Status);
        await AssertReadAsync(keepstore, locator, data);
    }

    private protected static async Task AssertReadAsync(ObjectKeepstore keepstore, string locator, byte[] data)
    {
        var (status, body, _) = await keepstore.SendAsync("GET", locator);
        Assert.True(status == HttpStatusCode.OK, $"{(int)status} for {locator}");
        Assert.Equal(data, body);
    }
}
