using System.Security.Cryptography;

namespace KeepFs.WebDav.Tests;

public sealed class FaultTests(TestSite site) : IClassFixture<TestSite>
{
    [Fact]
    public async Task Corrupt_copy_is_served_from_the_other_keepstore_and_two_are_502()
    {
        var uuid = await site.CreateCollectionAsync();
        var data = RandomNumberGenerator.GetBytes(100_000);
        await site.ExpectAsync(201, "PUT", $"/c={uuid}/f", data);
        var hash = Convert.ToHexStringLower(MD5.HashData(data));
        Damage(site.Volumes[0].Path, hash);
        Assert.Equal(data, await GetWithEmptyCacheAsync(200));
        Damage(site.Volumes[1].Path, hash);
        await GetWithEmptyCacheAsync(502);

        async Task<byte[]> GetWithEmptyCacheAsync(int status)
        {
            await using var web = await site.StartWebAsync(options => options);
            using var request = site.Request("GET", $"/c={uuid}/f");
            request.RequestUri = new Uri(web.Addresses.Single() + $"/c={uuid}/f");
            using var response = await site.Http.SendAsync(request);
            Assert.Equal(status, (int)response.StatusCode);
            return await response.Content.ReadAsByteArrayAsync();
        }
    }

    [Fact]
    public async Task Failure_in_a_later_block_breaks_the_connection_and_sends_no_wrong_byte()
    {
        var uuid = await site.CreateCollectionAsync();
        var data = new byte[(64 << 20) + 100_000];
        new Random(3).NextBytes(data);
        await site.ExpectAsync(201, "PUT", $"/c={uuid}/f", data);
        var second = Convert.ToHexStringLower(MD5.HashData(data.AsSpan(64 << 20)));
        foreach (var volume in site.Volumes)
        {
            Damage(volume.Path, second);
        }

        await using var web = await site.StartWebAsync(options => options);
        using var request = site.Request("GET", $"/c={uuid}/f");
        request.RequestUri = new Uri(web.Addresses.Single() + $"/c={uuid}/f");
        using var response = await site.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(200, (int)response.StatusCode);
        var received = new MemoryStream();
        var failure = await Record.ExceptionAsync(async () => await (await response.Content.ReadAsStreamAsync()).CopyToAsync(received));
        Assert.IsAssignableFrom<IOException>(failure);
        Assert.True(received.Length <= 64 << 20);
        Assert.True(received.ToArray().AsSpan().SequenceEqual(data.AsSpan(0, (int)received.Length)));
    }

    private static void Damage(string root, string hash)
    {
        var path = Directory.EnumerateFiles(root, hash, SearchOption.AllDirectories).Single();
        var bytes = File.ReadAllBytes(path);
        bytes[^1] ^= 1;

        // Blocks are read-only files.
        File.Delete(path);
        File.WriteAllBytes(path, bytes);
    }
}
