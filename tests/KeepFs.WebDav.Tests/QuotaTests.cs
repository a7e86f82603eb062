using System.Text;
using System.Text.Json;
using System.Xml.Linq;
using KeepFs.WebDav.Tests.S3;

namespace KeepFs.WebDav.Tests;

/// <summary>What clients see of quotas (docs/decisions/0038, RFC 4331).</summary>
public sealed class QuotaTests(TestSite site) : IClassFixture<TestSite>
{
    private const string Asked = """<propfind xmlns="DAV:"><prop><quota-available-bytes/><quota-used-bytes/></prop></propfind>""";
    private static readonly XNamespace Dav = "DAV:";

    [Fact]
    public async Task Room_is_what_the_quotas_around_leave_and_beyond_it_nothing_is_written()
    {
        await site.ExpectAsync(201, "MKCOL", "/home/limited", null, null, ("X-KeepFs-Create", "project"));
        await site.ExpectAsync(201, "MKCOL", "/home/limited/c");
        Assert.Equal((1L << 49, 0), await QuotaAsync("/home/limited/"));

        using var found = JsonDocument.Parse((await site.AskAsync(site.Token, "groups?filters=[[\"name\",\"=\",\"limited\"]]")).GetRawText());
        var project = found.RootElement.GetProperty("items")[0].GetProperty("uuid").GetString()!;
        await site.SetQuotaAsync(project, 10);
        await site.PutAsync("/home/limited/c/f", "four");
        Assert.Equal((6, 4), await QuotaAsync("/home/limited/"));
        Assert.Equal((6, 4), await QuotaAsync("/home/limited/c/"));

        // The first small one is saved without a look, the large one after one.
        Assert.Contains("quota", (await site.ExpectAsync(507, "PUT", "/home/limited/c/g", new byte[7])).Text, StringComparison.Ordinal);
        await site.ExpectAsync(507, "PUT", "/home/limited/c/h", new byte[2 << 20]);
        using var items = JsonDocument.Parse((await site.AskAsync(site.Token, $"collections?filters=[[\"owner_uuid\",\"=\",\"{project}\"]]")).GetRawText());
        var bucket = items.RootElement.GetProperty("items")[0].GetProperty("uuid").GetString()!;
        using var s3 = S3Client.Of(site);
        await S3Client.FailsAsync("QuotaExceeded", 403, () => s3.PutTextAsync(bucket, "g", "seven b"));
        await site.ExpectAsync(404, "GET", "/home/limited/c/g");
        await site.ExpectAsync(404, "GET", "/home/limited/c/h");
        await site.PutAsync("/home/limited/c/g", "sixsix");
        Assert.Equal((0, 10), await QuotaAsync("/home/limited/c/"));
    }

    [Fact]
    public async Task Who_may_not_know_what_somebody_holds_is_told_that_there_is_room()
    {
        var uuid = await site.CreateCollectionAsync();
        await site.ShareAsync(uuid, "can_write");
        var owner = (await site.Catalog.GetCurrentUserAsync(default)).Uuid;
        await site.SetQuotaAsync(owner, 1L << 40);
        Assert.Equal((1L << 49, 0), await QuotaAsync($"/c={uuid}/", site.OtherToken));
        Assert.Equal((1L << 40, true), ((await QuotaAsync("/home/")) is var (available, used) ? available + used : 0, used >= 0));
    }

    private async Task<(long Available, long Used)> QuotaAsync(string path, string? token = null)
    {
        var answer = XElement.Parse((await site.ExpectAsync(207, "PROPFIND", path, Encoding.UTF8.GetBytes(Asked), token, ("Depth", "0"))).Text);
        return (Number("quota-available-bytes"), Number("quota-used-bytes"));

        long Number(string name) => long.Parse(answer.Descendants(Dav + name).Single().Value, null);
    }
}
