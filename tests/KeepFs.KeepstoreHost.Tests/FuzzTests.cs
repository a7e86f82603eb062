using System.Globalization;
using System.Text.Json;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Mounts;
using KeepFs.Engine.Volumes;
using KeepFs.Hosting.Configuration;
using KeepFs.Testing;
using KeepFs.Testing.Volumes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace KeepFs.KeepstoreHost.Tests;

/// <summary>Whatever arrives is answered or refused: no crash, and never a 500 for what a client sent.</summary>
public sealed class FuzzTests
{
    private const string Foo = "acbd18db4cc2f85cedef654fccc4a4d8";
    private const string Signed = Foo + "+3+A89118b78732c33104a4d6231e8b5a5fa1e4301e3@7fffffff";
    private const string Remote = Foo + "+3+Rrrrrr-89118b78732c33104a4d6231e8b5a5fa1e4301e3@7fffffff+K@xyzzy";

    [Fact]
    public void Locators_parse_or_not_and_come_back_as_they_were()
    {
        var mutator = new ByteMutator(1, Foo, Signed, Remote, Foo + "+3+K@zzzzz-bi6l4-abcdefghijklmno+Zx");
        var signer = new LocatorSigner(TestKeepstore.Key, TimeSpan.FromDays(14));
        using var remotes = new RemoteBlocks(new Dictionary<string, RemoteClusterConfig> { ["rrrrr"] = new() { Host = "r" } }, TimeProvider.System, null);
        var (parsed, resolved) = (0, 0);
        for (var i = 0; i < ByteMutator.Count; i++)
        {
            var text = mutator.NextText();
            signer.Verify(text, text, DateTimeOffset.UnixEpoch);
            if (!Locator.TryParse(text, out var locator))
            {
                continue;
            }

            parsed++;
            Assert.Equal((text, text[..32], true), (locator.ToString(), locator.Hash.ToString(), locator.SizeBytes >= 0));
            Assert.False(locator.WithoutSignature().IsSigned);
            try
            {
                var remote = remotes.Resolve(locator).Locator;
                Assert.Equal((locator.Hash, false), (remote.Hash, remote.IsRemote));
                resolved++;
            }
            catch (RemoteRequestException e)
            {
                Assert.Equal(400, e.Status);
            }
        }

        Assert.InRange(parsed, ByteMutator.Count / 20, ByteMutator.Count);
        Assert.InRange(resolved, ByteMutator.Count / 100, parsed);
    }

    [Fact]
    public void Lists_are_taken_or_refused_as_bad_json()
    {
        var mutator = new ByteMutator(
            2,
            $$"""[{"locator":"{{Foo}}+3","block_mtime":1577836800123456700,"mount_uuid":"zzzzz-nyw5e-000000000000000"},{"locator":"{{Foo}}","block_mtime":0}]""",
            $$"""[{"locator":"{{Signed}}","servers":["http://keep0.example:25107","http://keep1.example:25107"],"mount_uuid":""}, null]""",
            "null",
            "[]");
        var taken = 0;
        for (var i = 0; i < ByteMutator.Count; i++)
        {
            var body = mutator.Next();
            taken += IsTaken(() => WorkLists.ParseTrash(body)) ? 1 : 0;
            taken += IsTaken(() => WorkLists.ParsePull(body)) ? 1 : 0;
        }

        Assert.InRange(taken, ByteMutator.Count / 20, 2 * ByteMutator.Count);

        static bool IsTaken(Action parse)
        {
            try
            {
                parse();
                return true;
            }
            catch (JsonException)
            {
                return false;
            }
        }
    }

    [Fact]
    public async Task Requests_are_answered_below_500()
    {
        var paths = new ByteMutator(3, "/" + Signed, "//" + Signed, "/" + Remote, "/index/acb", "/index", "/mounts", "/mounts/zzzzz-nyw5e-000000000000000/blocks/ac", "/untrash/" + Foo, "/trash", "/pull", "/_keepfs/scrub");
        var headers = new ByteMutator(
            4, "Bearer " + TestKeepstore.Token, "OAuth2 " + TestKeepstore.SystemToken, "Basic bm9uZTpzeXN0ZW1yb290dG9rZW4=", "arvados_api_token=c3lzdGVt", "local, 2026-01-02T03:04:05Z", " , hot , cold=1", "2", "bytes=0-1");
        var bodies = new ByteMutator(5, "foo", "[]", "[{\"locator\":\"" + Foo + "+3\"}]", "{\"action\":\"rate\",\"rate\":1}");
        var time = new ManualTime();
        var config = TestKeepstore.ConfigFor() with { Collections = new CollectionsConfig { BlobSigningKey = TestKeepstore.Key, BlobTrashConcurrency = 0 } };
        var buffers = new BlockBufferPool(new BlockBufferPoolOptions { BudgetBytes = 2L * Locator.MaxBlockSizeBytes });
        var log = new KeepstoreLog(NullLogger.Instance);
        var volume = new MemoryVolume(new TrashPolicy(TimeSpan.FromDays(14), TimeSpan.FromDays(14), time));
        await using var keepstore = new Keepstore(new MountTable([new Mount { Uuid = "zzzzz-nyw5e-000000000000000", Volume = volume }]), buffers, log);
        await volume.WriteAsync(BlockHash.Parse(Foo), "foo"u8.ToArray(), default);
        using var http = new HttpClient();
        await using var queues = new WorkQueues(keepstore, config.Collections, buffers, new PullFetcher(config.Collections, http, time, null), time, log);
        using var remotes = new RemoteBlocks(new Dictionary<string, RemoteClusterConfig>(), time, null);
        await using var scrubber = new Scrubber(keepstore, buffers, null, new ScrubOptions(), () => true, new ScrubLog(NullLogger.Instance), time);
        var router = new KeepstoreRouter(config, keepstore, buffers, queues, remotes, null, null, new ScrubEndpoint(scrubber), time, NullLogger.Instance);
        var answers = new SortedDictionary<int, int>();
        for (var i = 0; i < ByteMutator.Count; i++)
        {
            var context = new DefaultHttpContext();
            context.Request.Method = paths.Pick(["GET", "HEAD", "PUT", "DELETE", "TOUCH", "OPTIONS", "POST", "X"]);
            var target = paths.NextText().Split('?', 2);
            context.Request.Path = new PathString("/" + target[0].TrimStart('/'));
            context.Request.QueryString = target.Length > 1 ? new QueryString("?" + target[1]) : default;
            context.Request.Headers.Authorization = paths.Pick(["Bearer " + TestKeepstore.SystemToken, "Bearer " + TestKeepstore.Token, headers.NextText()]);
            context.Request.Headers.Cookie = headers.NextText();
            context.Request.Headers["X-Keep-Storage-Classes"] = headers.NextText();
            context.Request.Headers["X-Keep-Signature"] = headers.NextText();
            var body = bodies.Next();
            context.Request.Body = new MemoryStream(body);
            context.Request.ContentLength = body.Length;
            context.Response.Body = new MemoryStream();

            await router.HandleAsync(context);

            var status = context.Response.StatusCode;
            answers[status] = answers.GetValueOrDefault(status) + 1;

            // 502: a good signature with the wrong size. 507: a class that no mount has.
            Assert.True(status is < 500 or 502 or 507, $"{context.Request.Method} {context.Request.Path}: {status}");
            Assert.Equal(0, buffers.OutBytes);
        }

        Assert.Superset(new HashSet<int> { 200, 400, 401, 403, 404, 405 }, answers.Keys.ToHashSet());
    }

    [Fact]
    public async Task Index_of_a_volume_with_strange_names_has_only_good_lines()
    {
        using var folder = new TemporaryFolder();
        var mutator = new ByteMutator(6, Foo, Foo + ".trash.2000000000", "tmp" + Foo + "123");
        Directory.CreateDirectory(Path.Join(folder.Path, "acb"));
        for (var i = 0; i < 2000; i++)
        {
            var name = mutator.NextText().Replace('/', '_').Replace('\0', '_');
            if (name.Length is > 0 and < 120 && name is not ("." or ".."))
            {
                await File.WriteAllTextAsync(Path.Join(folder.Path, "acb", name), "x");
            }
        }

        await using var keepstore = await TestKeepstore.StartAsync(TestKeepstore.ConfigFor(folder));

        var lines = (await keepstore.ExpectAsync(System.Net.HttpStatusCode.OK, "GET", "/index", TestKeepstore.SystemToken)).Split('\n');

        Assert.Equal(["", ""], lines[^2..]);
        Assert.NotEmpty(lines[..^2]);
        Assert.All(lines[..^2], line =>
        {
            var parts = line.Split(' ');
            Assert.True(parts.Length == 2 && Locator.TryParse(parts[0], out var locator) && locator.SizeBytes == 1 && parts[0].StartsWith("acb", StringComparison.Ordinal), line);
            Assert.True(long.Parse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture) > 0, line);
        });
    }
}
