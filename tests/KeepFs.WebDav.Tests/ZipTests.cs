using System.Diagnostics;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using KeepFs.Engine.Catalog;
using KeepFs.Testing.Volumes;

namespace KeepFs.WebDav.Tests;

public sealed class ZipTests(TestSite site) : IClassFixture<TestSite>
{
    private const string Zip = "?accept=application/zip&disposition=attachment";
    private static readonly bool IsFull = Environment.GetEnvironmentVariable("KEEPFS_TEST_FULL") == "1";

    [Fact]
    public async Task Archive_has_the_said_length_and_every_program_reads_it()
    {
        var (uuid, data) = await FilledAsync();
        var head = await site.ExpectAsync(200, "HEAD", $"/c={uuid}/{Zip}");
        var got = await site.ExpectAsync(200, "GET", $"/c={uuid}/{Zip}");
        Assert.Equal(got.Body.Length.ToString(System.Globalization.CultureInfo.InvariantCulture), head.Headers["Content-Length"]);
        Assert.Equal(head.Headers["Content-Length"], got.Headers["Content-Length"]);
        Assert.Equal("application/zip", got.Headers["Content-Type"]);
        using var archive = new ZipArchive(new MemoryStream(got.Body));
        Assert.Equal(["a dir/b.bin", "a dir/empty", "ü 日本.txt"], archive.Entries.Select(entry => entry.FullName));
        Assert.Contains($"/by_id/{uuid}/", archive.Comment, StringComparison.Ordinal);
        using var content = new MemoryStream();
        await using (var entry = await archive.Entries[0].OpenAsync())
        {
            await entry.CopyToAsync(content);
        }

        Assert.Equal(data, content.ToArray());
        using var folder = new TemporaryFolder();
        await File.WriteAllBytesAsync(Path.Combine(folder.Path, "x.zip"), got.Body);
        await RunAsync(
            folder.Path,
            """
            unzip -tq x.zip; unzip -q x.zip -d u; python3 -m zipfile -t x.zip; python3 -m zipfile -e x.zip p; diff -r u p
            mkdir t; bsdtar -x -f x.zip -C t; diff -r u t; test "$(cat u/ü*)" = text; test ! -e u/hollow
            mkdir s; cat x.zip | bsdtar -x -f - -C s; diff -r u s
            """);
    }

    [Fact]
    public async Task Some_files_are_chosen_by_query_form_and_json()
    {
        var (uuid, _) = await FilledAsync();
        Assert.Equal(["a dir/b.bin", "a dir/empty"], Names(await site.ExpectAsync(200, "GET", $"/c={uuid}/{Zip}&files=a%20dir/&files=a%20dir/b.bin")));
        var form = await site.ExpectAsync(
            200, "POST", $"/c={uuid}/", "files=a+dir%2Fempty&download_filename=mine"u8.ToArray(), null, ("Accept", "application/zip"), ("Content-Type", "application/x-www-form-urlencoded"));
        Assert.Equal(["a dir/empty"], Names(form));
        Assert.Contains("mine.zip", form.Headers["Content-Disposition"], StringComparison.Ordinal);
        var json = await site.ExpectAsync(
            200, "POST", $"/c={uuid}/", """{"files":["ü 日本.txt"],"include_collection_metadata":true}"""u8.ToArray(), null, ("Accept", "application/zip"), ("Content-Type", "application/json"));
        Assert.Equal(["collection.json", "ü 日本.txt"], Names(json));
        using var archive = new ZipArchive(new MemoryStream(json.Body));
        using var record = await JsonDocument.ParseAsync(await archive.Entries[0].OpenAsync());
        Assert.Equal(uuid, record.RootElement.GetProperty("uuid").GetString());
        Assert.Equal("active", record.RootElement.GetProperty("modified_by_user").GetProperty("username").GetString());
        Assert.Contains("filename*=UTF-8''", json.Headers["Content-Disposition"], StringComparison.Ordinal);
        await site.ExpectAsync(404, "GET", $"/c={uuid}/{Zip}&files=absent");
        await site.ExpectAsync(404, "GET", $"/c={uuid}/{Zip}&files=../x");
        await site.ExpectAsync(400, "GET", $"/c={uuid}/a%20dir/{Zip}");
        await site.ExpectAsync(400, "GET", $"/home/{Zip}");
        await site.ExpectAsync(400, "POST", $"/c={uuid}/", "{\"files\":1}"u8.ToArray(), null, ("Accept", "application/zip"), ("Content-Type", "application/json"));
        await site.ExpectAsync(404, "GET", $"/c={uuid}/{Zip}", token: site.OtherToken);
    }

    [Fact]
    public async Task Content_hash_and_name_in_a_project_are_served_and_an_empty_collection_is_an_empty_archive()
    {
        var (uuid, _) = await FilledAsync();
        var record = (await site.Catalog.FindCollectionAsync(uuid, null, default))!;
        var byHash = await site.ExpectAsync(200, "GET", $"/c={record.PortableDataHash}/{Zip}&include_collection_metadata=true");
        Assert.Equal(4, Names(byHash).Count);
        Assert.Contains($"filename={record.PortableDataHash.Split('+')[0]}", byHash.Headers["Content-Disposition"].Replace("\"", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Equal(3, Names(await site.ExpectAsync(200, "GET", $"/home/{Uri.EscapeDataString(record.Name!)}/{Zip}")).Count);
        Assert.Empty(Names(await site.ExpectAsync(200, "GET", $"/c={await site.CreateCollectionAsync()}/{Zip}")));
    }

    /// <summary>70,000 files and one of 5 GiB (one block again and again): the records of Zip64 for entries, offsets and counts.</summary>
    [Fact]
    public async Task Beyond_32_bits_the_archive_is_zip64()
    {
        var uuid = await site.CreateCollectionAsync();
        var block = new byte[IsFull ? 64 << 20 : 1000];
        await site.ExpectAsync(201, "PUT", $"/c={uuid}/block", block);
        var locator = (await site.ManifestOfAsync(uuid)).Split(' ')[1];
        var manifest = new StringBuilder();
        if (IsFull)
        {
            manifest.Append("./a");
            manifest.Insert(manifest.Length, " " + locator, 80).Append($" 0:{80L * block.Length}:large\n");
        }

        manifest.Append(". ").Append(locator);
        for (var i = 0; i < 70_000; i++)
        {
            manifest.Append(System.Globalization.CultureInfo.InvariantCulture, $" 0:0:e{i:00000}");
        }

        manifest.Append(" 0:5:last\n");
        await site.Catalog.UpdateCollectionAsync(
            uuid, new CollectionChange { Collection = new CollectionWrite { ManifestText = Encoding.UTF8.GetBytes(manifest.ToString()) } }, default);
        using var folder = new TemporaryFolder();
        using (var request = site.Request("GET", $"/c={uuid}/{Zip}"))
        using (var response = await site.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead))
        {
            Assert.Equal(200, (int)response.StatusCode);
            await using var file = File.Create(Path.Combine(folder.Path, "x.zip"));
            await response.Content.CopyToAsync(file);
            Assert.Equal(response.Content.Headers.ContentLength, file.Length);
        }

        await RunAsync(
            folder.Path,
            $"""
            python3 -c 'import zipfile; z=zipfile.ZipFile("x.zip"); assert len(z.infolist())=={(IsFull ? 70_002 : 70_001)}; assert z.testzip() is None; assert z.read("last")==bytes(5)'
            unzip -tq x.zip; test "$(bsdtar -t -f x.zip | wc -l)" = {(IsFull ? 70_002 : 70_001)}
            """);
    }

    private async Task<(string Uuid, byte[] Data)> FilledAsync()
    {
        var uuid = await site.CreateCollectionAsync();
        var data = RandomNumberGenerator.GetBytes(3_000_000);
        await site.ExpectAsync(201, "MKCOL", $"/c={uuid}/hollow");
        await site.ExpectAsync(201, "MKCOL", $"/c={uuid}/a%20dir");
        await site.ExpectAsync(201, "PUT", $"/c={uuid}/a%20dir/b.bin", data);
        await site.ExpectAsync(201, "PUT", $"/c={uuid}/a%20dir/empty", []);
        await site.PutAsync($"/c={uuid}/%C3%BC%20%E6%97%A5%E6%9C%AC.txt", "text");
        return (uuid, data);
    }

    private static List<string> Names(TestAnswer answer)
    {
        using var archive = new ZipArchive(new MemoryStream(answer.Body));
        return [.. archive.Entries.Select(entry => entry.FullName)];
    }

    private static async Task RunAsync(string folder, string script)
    {
        var start = new ProcessStartInfo("bash", ["-c", "set -eu -o pipefail; export LC_ALL=C.UTF-8\n" + script]) { WorkingDirectory = folder, RedirectStandardError = true, RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{script}\nended with {process.ExitCode} (needed: unzip, bsdtar of libarchive-tools, python3)\n{await output}\n{await errors}");
    }
}
