using System.Security.Cryptography;
using KeepFs.Engine.Manifests;

namespace KeepFs.WebDav.Tests.Writing;

public sealed class SmallPutTests(TestSite site) : IClassFixture<TestSite>
{
    [Fact]
    public async Task Many_at_once_are_all_there_in_fewer_blocks_and_one_that_is_refused_spoils_none()
    {
        var uuid = await site.CreateCollectionAsync();
        var contents = Enumerable.Range(0, 40).Select(i => RandomNumberGenerator.GetBytes(1000 + i)).ToArray();
        var puts = contents.Select((content, i) => site.ExpectAsync(201, "PUT", $"/c={uuid}/f{i}", content)).ToList();
        puts.Add(site.ExpectAsync(409, "PUT", $"/c={uuid}/missing/f", [1]));
        puts.Add(site.ExpectAsync(201, "PUT", $"/c={uuid}/empty", []));
        await Task.WhenAll(puts);

        for (var i = 0; i < contents.Length; i++)
        {
            Assert.Equal(contents[i], (await site.ExpectAsync(200, "GET", $"/c={uuid}/f{i}")).Body);
        }

        Assert.Empty((await site.ExpectAsync(200, "GET", $"/c={uuid}/empty")).Body);
        var blocks = ManifestBlocks.Sizes(System.Text.Encoding.UTF8.GetBytes(await site.ManifestOfAsync(uuid))).Keys.Distinct().Count();
        Assert.InRange(blocks, 1, 39);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(2_000_000)]
    public async Task A_body_longer_than_it_was_announced_to_be_is_stored_whole(int announced)
    {
        var uuid = await site.CreateCollectionAsync();
        var body = RandomNumberGenerator.GetBytes(1_500_000);
        using var request = site.Request("PUT", $"/c={uuid}/f", body, null, ("X-Expected-Entity-Length", announced.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        request.Headers.TransferEncodingChunked = true;
        using var answer = await site.Http.SendAsync(request);
        Assert.Equal(201, (int)answer.StatusCode);
        Assert.Equal(body, (await site.ExpectAsync(200, "GET", $"/c={uuid}/f")).Body);
    }

    [Fact]
    public async Task Many_puts_of_one_name_at_once_leave_one_of_them_whole()
    {
        var uuid = await site.CreateCollectionAsync();
        await site.PutAsync($"/c={uuid}/f", "first");
        await Task.WhenAll(Enumerable.Range(0, 40).Select(i => site.PutAsync($"/c={uuid}/f", $"content {i}", 204)));
        Assert.Matches("^content [0-9]+$", await site.GetTextAsync($"/c={uuid}/f"));
    }
}
