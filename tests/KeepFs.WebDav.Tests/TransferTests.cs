using System.Globalization;
using System.Text.Json;
using Amazon.S3.Model;
using KeepFs.Hosting.Configuration;
using KeepFs.WebDav.Tests.S3;
using KeepFs.WebDav.Transfers;

namespace KeepFs.WebDav.Tests;

/// <summary>Who may transfer files, and what is written down about it (keep-web.md 2.9).</summary>
public sealed class TransferTests(TestSite site) : IClassFixture<TestSite>
{
    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public async Task Switches_hold_for_http_webdav_and_s3_alike(bool download, bool upload)
    {
        var uuid = await site.CreateCollectionAsync();
        await site.PutAsync($"/c={uuid}/f", "content");
        await using var web = await StartAsync(config => config with
        {
            WebDAVPermission = new WebDAVPermissionConfig { User = new TransferPermissionConfig { Download = download, Upload = upload } },
        });
        var address = new Uri(web.Addresses.Single());
        var (get, put) = (download ? 200 : 403, upload ? 201 : 403);
        Assert.Equal(get, await StatusAsync(address, "GET", $"/c={uuid}/f"));
        Assert.Equal(get == 200 ? 206 : 403, await StatusAsync(address, "GET", $"/c={uuid}/f", headers: ("Range", "bytes=2-")));
        Assert.Equal(get, await StatusAsync(address, "GET", $"/c={uuid}/f", token: await ShareTokenAsync(uuid)));
        Assert.Equal(403, await StatusAsync(address, "POST", $"/c={uuid}/f"));
        Assert.Equal(get, await StatusAsync(address, "GET", $"/c={uuid}/", headers: ("Accept", "application/zip")));
        Assert.Equal(get, await StatusAsync(address, "POST", $"/c={uuid}/", headers: ("Accept", "application/zip")));
        Assert.Equal(put, await StatusAsync(address, "PUT", $"/c={uuid}/new", "x"u8.ToArray()));

        // What moves no file data is as it was.
        Assert.Equal(200, await StatusAsync(address, "HEAD", $"/c={uuid}/f"));
        Assert.Equal(200, await StatusAsync(address, "GET", $"/c={uuid}/"));
        Assert.Equal(207, await StatusAsync(address, "PROPFIND", $"/c={uuid}/"));
        Assert.Equal(201, await StatusAsync(address, "MKCOL", $"/c={uuid}/dir"));
        Assert.Equal(201, await StatusAsync(address, "COPY", $"/c={uuid}/f", headers: ("Destination", $"/c={uuid}/dir/g")));
        Assert.Equal(204, await StatusAsync(address, "DELETE", $"/c={uuid}/dir/g"));

        using var s3 = S3Client.Of(site, address: address);
        await AllowedAsync(download, () => s3.GetTextAsync(uuid, "f"));
        await AllowedAsync(upload, () => s3.PutTextAsync(uuid, "s3", "x"));
        await AllowedAsync(upload, () => s3.CopyObjectAsync(uuid, "f", uuid, "copy"));
        await AllowedAsync(upload, () => s3.InitiateMultipartUploadAsync(uuid, "parts"));
        await s3.GetObjectMetadataAsync(uuid, "f");
        await s3.ListObjectsV2Async(new ListObjectsV2Request { BucketName = uuid });
        await s3.DeleteObjectAsync(uuid, "nothing");

        // Administrators have switches of their own.
        Assert.Equal(200, await StatusAsync(address, "GET", $"/c={uuid}/f", token: site.AdminToken));
        Assert.Equal(upload ? 204 : 201, await StatusAsync(address, "PUT", $"/c={uuid}/new", "y"u8.ToArray(), site.AdminToken));
    }

    [Fact]
    public async Task Administrators_are_held_to_their_switches()
    {
        var uuid = await site.CreateCollectionAsync();
        await site.PutAsync($"/c={uuid}/f", "content");
        await using var web = await StartAsync(config => config with
        {
            WebDAVPermission = new WebDAVPermissionConfig { Admin = new TransferPermissionConfig { Download = false, Upload = false } },
        });
        var address = new Uri(web.Addresses.Single());
        Assert.Equal(403, await StatusAsync(address, "GET", $"/c={uuid}/f", token: site.AdminToken));
        Assert.Equal(403, await StatusAsync(address, "PUT", $"/c={uuid}/g", "x"u8.ToArray(), site.AdminToken));
        Assert.Equal(200, await StatusAsync(address, "GET", $"/c={uuid}/f"));
        Assert.Equal(201, await StatusAsync(address, "PUT", $"/c={uuid}/g", "x"u8.ToArray()));
    }

    [Fact]
    public async Task Each_transfer_is_in_the_catalogues_log_once()
    {
        var uuid = await site.CreateCollectionAsync();
        var web = await StartAsync(config => config);
        var address = new Uri(web.Addresses.Single());
        Assert.Equal(201, await StatusAsync(address, "PUT", $"/c={uuid}/a%20b", "content"u8.ToArray()));
        Assert.Equal(201, await StatusAsync(address, "PUT", $"/c={uuid}/empty", []));
        var record = (await site.Catalog.FindCollectionAsync(uuid, null, default))!;
        Assert.Equal(200, await StatusAsync(address, "GET", $"/c={uuid}/t={Uri.EscapeDataString(site.Token)}/a%20b", token: ""));
        Assert.Equal(200, await StatusAsync(address, "GET", $"/c={uuid}/empty"));

        // A further part of the same download, and what is no download.
        Assert.Equal(206, await StatusAsync(address, "GET", $"/c={uuid}/a%20b", headers: ("Range", "bytes=0-2")));
        Assert.Equal(206, await StatusAsync(address, "GET", $"/c={uuid}/a%20b", headers: ("Range", "bytes=3-")));
        Assert.Equal(304, await StatusAsync(address, "GET", $"/c={uuid}/a%20b", headers: ("If-None-Match", "*")));
        Assert.Equal(200, await StatusAsync(address, "HEAD", $"/c={uuid}/a%20b"));
        Assert.Equal(404, await StatusAsync(address, "GET", $"/c={uuid}/none"));
        Assert.Equal(200, await StatusAsync(address, "GET", $"/c={record.PortableDataHash}/a%20b"));
        Assert.Equal(200, await StatusAsync(address, "GET", $"/c={uuid}/a%20b", token: await ShareTokenAsync(uuid)));
        Assert.Equal(200, await StatusAsync(address, "GET", $"/c={uuid}/", headers: ("Accept", "application/zip")));
        using (var s3 = S3Client.Of(site, address: address))
        {
            await s3.PutTextAsync(uuid, "s3", "x");
            await s3.GetTextAsync(uuid, "s3");
        }

        // Its end writes what waits.
        await web.StopAsync(default);
        await web.DisposeAsync();
        var me = (await site.Catalog.GetCurrentUserAsync(default)).Uuid;
        const string anonymous = "zzzzz-tpzed-anonymouspublic";
        string[] expected =
        [
            $"file_download {anonymous} /c={uuid}/a b {uuid} a b 1 True",
            $"file_download {me} /{uuid}/s3 {uuid} s3 1 True",
            $"file_download {me} /c={record.PortableDataHash}/a b  a b 1 True",
            $"file_download {me} /c={uuid}/ {uuid}  2 True",
            $"file_download {me} /c={uuid}/a b {uuid} a b 1 True",
            $"file_download {me} /c={uuid}/empty {uuid} empty 1 True",
            $"file_download {me} /c={uuid}/t=.../a b {uuid} a b 1 True",
            $"file_upload {me} /{uuid}/s3 {uuid} s3 1 False",
            $"file_upload {me} /c={uuid}/a b {uuid} a b 1 False",
            $"file_upload {me} /c={uuid}/empty {uuid} empty 1 False",
        ];
        Assert.Equal(string.Join('\n', expected.Order(StringComparer.Ordinal)), string.Join('\n', (await LogAsync(uuid, record.PortableDataHash)).Order(StringComparer.Ordinal)));
    }

    [Fact]
    public async Task Log_can_be_switched_off()
    {
        var uuid = await site.CreateCollectionAsync();
        var web = await StartAsync(config => config with { WebDAVLogEvents = false });
        Assert.Equal(201, await StatusAsync(new Uri(web.Addresses.Single()), "PUT", $"/c={uuid}/f", "x"u8.ToArray()));
        await web.StopAsync(default);
        await web.DisposeAsync();
        Assert.Empty(await LogAsync(uuid, uuid));
    }

    [Fact]
    public void Parts_of_a_download_count_again_after_the_interval_or_from_the_start_or_by_somebody_else()
    {
        var time = new SteppedTime();
        var throttle = new DownloadThrottle(TimeSpan.FromSeconds(30), time);
        var mine = ("/p", "token", "address", "uuid", "f");
        Assert.True(throttle.IsNew(mine, 100));
        Assert.False(throttle.IsNew(mine, 200));
        Assert.True(throttle.IsNew(mine, 0));
        Assert.True(throttle.IsNew(mine with { Item2 = "other" }, 200));
        time.Advance(TimeSpan.FromSeconds(30));
        Assert.True(throttle.IsNew(mine, 300));
        Assert.True(new DownloadThrottle(TimeSpan.Zero, time).IsNew(mine, 300));

        // More than are remembered: counted too often at worst.
        for (var i = 0; i < DownloadThrottle.MaxRemembered; i++)
        {
            Assert.True(throttle.IsNew(mine with { Item5 = i.ToString(CultureInfo.InvariantCulture) }, 1));
        }

        Assert.True(throttle.IsNew(mine, 400));
    }

    private static async Task AllowedAsync(bool isAllowed, Func<Task> request)
    {
        if (isAllowed)
        {
            await request();
        }
        else
        {
            await S3Client.FailsAsync("AccessDenied", 403, request);
        }
    }

    private Task<KeepWebServer> StartAsync(Func<CollectionsConfig, CollectionsConfig> configure) =>
        site.StartWebAsync(options => options, site.Config with { Collections = configure(site.Config.Collections) });

    private async Task<int> StatusAsync(Uri address, string method, string path, byte[]? body = null, string? token = null, params (string Name, string Value)[] headers)
    {
        using var request = site.Request(method, path, body, token, headers);
        request.RequestUri = new Uri(address.AbsoluteUri.TrimEnd('/') + path);
        using var response = await site.Http.SendAsync(request);
        return (int)response.StatusCode;
    }

    private async Task<string> ShareTokenAsync(string uuid)
    {
        using var answer = JsonDocument.Parse(await site.PostAsync(
            site.Token, "api_client_authorizations",
            $$$"""{"api_client_authorization":{"scopes":["GET /arvados/v1/collections/{{{uuid}}}","GET /arvados/v1/collections/{{{uuid}}}/","GET /arvados/v1/keep_services/accessible"]}}"""));
        return $"v2/{answer.RootElement.GetProperty("uuid").GetString()}/{answer.RootElement.GetProperty("api_token").GetString()}";
    }

    private async Task<List<string>> LogAsync(string uuid, string hash)
    {
        var answer = await site.AskAsync(site.AdminToken, "logs?limit=1000&filters=" + Uri.EscapeDataString("""[["event_type","in",["file_download","file_upload"]]]"""));
        return [.. answer.GetProperty("items").EnumerateArray().Select(item => (Item: item, Properties: item.GetProperty("properties")))
            .Where(entry => entry.Properties.GetProperty("reqPath").GetString() is var path && (path!.Contains(uuid, StringComparison.Ordinal) || path.Contains(hash, StringComparison.Ordinal)))
            .Select(entry => string.Join(
                ' ', entry.Item.GetProperty("event_type"), entry.Item.GetProperty("object_uuid"), entry.Properties.GetProperty("reqPath"), entry.Properties.GetProperty("collection_uuid"),
                entry.Properties.GetProperty("collection_file_path"), entry.Properties.GetProperty("file_count"), entry.Properties.TryGetProperty("portable_data_hash", out _)))];
    }

    private sealed class SteppedTime : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _ticks;

        public void Advance(TimeSpan by) => _ticks += by.Ticks;
    }
}
