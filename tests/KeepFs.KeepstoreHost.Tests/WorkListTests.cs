using System.Globalization;
using System.Net;
using System.Text;
using KeepFs.Engine.Blocks;
using KeepFs.Testing.Volumes;

namespace KeepFs.KeepstoreHost.Tests;

/// <summary><c>PUT /trash</c> and <c>PUT /pull</c> between real servers.</summary>
public sealed class WorkListTests : IDisposable
{
    private const string Foo = "acbd18db4cc2f85cedef654fccc4a4d8";
    private const HttpStatusCode Ok = HttpStatusCode.OK;
    private readonly TemporaryFolder _one = new();
    private readonly TemporaryFolder _two = new();
    private readonly TemporaryFolder _three = new();

    public void Dispose()
    {
        _one.Dispose();
        _two.Dispose();
        _three.Dispose();
    }

    [Fact]
    public async Task Trash_list_trashes_exactly_the_copies_that_it_names()
    {
        await using var keepstore = await TestKeepstore.StartAsync(TestKeepstore.ConfigFor(_one, _two));
        foreach (var data in new[] { "foo", "bar", "baz" })
        {
            await PutAsync(keepstore, data);
        }

        var mtime = keepstore.Time.Nanoseconds;
        keepstore.Time.Advance(TimeSpan.FromDays(15));

        Assert.Equal("", await SendAsync(keepstore, "trash", $$"""
            [{"locator":"{{Foo}}","block_mtime":{{mtime}},"mount_uuid":""},
             {"locator":"{{Hash("bar")}}+3","block_mtime":{{mtime + 1}}},
             {"locator":"{{Hash("baz")}}+3+Ahint","block_mtime":{{mtime}},"mount_uuid":"zzzzz-nyw5e-999999999999999"},
             {"locator":"nonsense","block_mtime":{{mtime}}}, {}, null]
            """));

        await TrashIdleAsync(keepstore);
        var left = _one.Files().Concat(_two.Files()).Select(file => Path.GetFileName(file).Split('.')).GroupBy(parts => parts.Length).ToDictionary(g => g.Key, g => g.Select(parts => parts[0]).Order());
        Assert.Equal(new[] { Hash("bar"), Hash("baz") }.Order(), left[1]);
        Assert.Equal([Foo], left[3]);
        Assert.Equal(Ok, (await keepstore.SendAsync("PUT", "/untrash/" + Foo, TestKeepstore.SystemToken)).StatusCode);
    }

    [Theory]
    [InlineData(false, 4)]
    [InlineData(true, 0)]
    public async Task Trash_list_is_accepted_but_not_executed_when_trash_is_off(bool isOn, int workers)
    {
        var config = TestKeepstore.ConfigFor(_one);
        await using var keepstore = await TestKeepstore.StartAsync(
            config with { Collections = config.Collections with { BlobTrash = isOn, BlobTrashConcurrency = workers } });
        await PutAsync(keepstore, "foo");
        var mtime = keepstore.Time.Nanoseconds;
        keepstore.Time.Advance(TimeSpan.FromDays(15));

        await SendAsync(keepstore, "trash", $$"""[{"locator":"{{Foo}}","block_mtime":{{mtime}}}]""");

        Assert.Equal((0, 0), (keepstore.Server.Queues.Trash.Pending, keepstore.Server.Queues.Trash.InProgress));
        await keepstore.Server.StopAsync(default);
        Assert.Equal(["acb/" + Foo], _one.Files());
    }

    [Fact]
    public async Task Pull_list_copies_from_servers_that_want_signatures()
    {
        await using var source = await TestKeepstore.StartAsync(TestKeepstore.ConfigFor(_one));
        await using var empty = await TestKeepstore.StartAsync(TestKeepstore.ConfigFor(_two));
        await using var target = await TestKeepstore.StartAsync(TestKeepstore.ConfigFor(_three));
        await PutAsync(source, "foo");
        await PutAsync(source, "");
        Place(_one, "bar", "bad");

        Assert.Equal("", await SendAsync(target, "pull", $$"""
            [{"locator":"{{Foo}}+3","servers":["{{Url(empty)}}","{{Url(source)}}/","ftp://x","nonsense",null],"mount_uuid":""},
             {"locator":"{{BlockHash.Empty}}+0","servers":["{{Url(source)}}"],"mount_uuid":null},
             {"locator":"{{Hash("bar")}}+3","servers":["{{Url(source)}}"]},
             {"locator":"{{Hash("qux")}}+3","servers":["http://127.0.0.1:1"]},
             {"locator":"{{Hash("quux")}}+4","servers":null},
             {"locator":"x"}, null]
            """));

        await PullIdleAsync(target);
        Assert.Equal(new[] { "acb/" + Foo, $"d41/{BlockHash.Empty}" }, _three.Files());
        Assert.Equal("foo", await File.ReadAllTextAsync(Path.Join(_three.Path, "acb", Foo)));
        Assert.Contains("arvados_keepstore_pull_queue_pending_entries 0\n", await target.ExpectAsync(Ok, "GET", "/metrics", "manage"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pull_list_is_accepted_but_not_executed_without_a_writable_mount()
    {
        var config = TestKeepstore.ConfigFor(_one);
        await using var keepstore = await TestKeepstore.StartAsync(
            config with { Volumes = config.Volumes.ToDictionary(entry => entry.Key, entry => entry.Value with { ReadOnly = true }) });

        await SendAsync(keepstore, "pull", $$"""[{"locator":"{{Foo}}+3","servers":["http://127.0.0.1:1"]}]""");

        Assert.Equal(0, keepstore.Server.Queues.Pull.Pending);
    }

    [Theory]
    [InlineData("trash", "", 400)]
    [InlineData("trash", "nonsense", 400)]
    [InlineData("trash", "{}", 400)]
    [InlineData("trash", "[{}", 400)]
    [InlineData("trash", "[{}] []", 400)]
    [InlineData("trash", "[3]", 400)]
    [InlineData("trash", """[{"locator":3}]""", 400)]
    [InlineData("trash", """[{"block_mtime":"3"}]""", 400)]
    [InlineData("trash", """[{"block_mtime":9223372036854775808}]""", 400)]
    [InlineData("trash", """[{"locator":"\ud800"}]""", 400)]
    [InlineData("trash", "null", 200)]
    [InlineData("trash", "[] \n", 200)]
    [InlineData("trash", """[{"other":1,"LOCATOR":null}]""", 200)]
    [InlineData("pull", "nonsense", 400)]
    [InlineData("pull", """[{"locator":"acbd18db4cc2f85cedef654fccc4a4d8","servers":[]}]""", 400)]
    [InlineData("pull", """[{"locator":"x"},{"locator":"acbd18db4cc2f85cedef654fccc4a4d8"}]""", 200)]
    [InlineData("pull", """[{"servers":"http://a:1"}]""", 400)]
    [InlineData("pull", "null", 200)]
    public async Task List_must_be_json_of_the_right_shape(string path, string body, int status)
    {
        await using var keepstore = await TestKeepstore.StartAsync(TestKeepstore.ConfigFor(_one));

        await keepstore.ExpectAsync((HttpStatusCode)status, "PUT", "/" + path, TestKeepstore.SystemToken, Encoding.UTF8.GetBytes(body));
    }

    [Theory]
    [InlineData("trash")]
    [InlineData("pull")]
    public async Task Lists_need_the_system_token(string path)
    {
        await using var keepstore = await TestKeepstore.StartAsync(TestKeepstore.ConfigFor(_one));

        Assert.Equal("Unauthorized\n", await keepstore.ExpectAsync(HttpStatusCode.Unauthorized, "PUT", "/" + path, token: null, body: "[]"u8.ToArray()));
        Assert.Equal("Forbidden\n", await keepstore.ExpectAsync(HttpStatusCode.Forbidden, "PUT", "/" + path, body: "[]"u8.ToArray()));
    }

    [Fact]
    public async Task List_with_too_many_items_is_refused_as_a_whole()
    {
        await using var keepstore = await TestKeepstore.StartAsync(TestKeepstore.ConfigFor(_one));
        var item = $$"""{"locator":"{{Foo}}"},""";
        var body = new StringBuilder("[").Insert(1, item, WorkLists.MaxItems + 1);
        body[^1] = ']';

        Assert.Contains("1000000", await SendAsync(keepstore, "trash", body.ToString(), HttpStatusCode.RequestEntityTooLarge), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Volume_metrics_count_operations_and_bytes()
    {
        await using var keepstore = await TestKeepstore.StartAsync(TestKeepstore.ConfigFor(_one));
        await PutAsync(keepstore, "foo");
        await keepstore.ExpectAsync(Ok, "GET", "/index", TestKeepstore.SystemToken);
        var device = keepstore.Server.Keepstore.Mounts.All[0].Volume.DeviceId;

        var metrics = await keepstore.ExpectAsync(Ok, "GET", "/metrics", "manage");

        foreach (var (name, label, value) in new[]
        {
            ("operations", "operation=\"create\"", 1), ("operations", "operation=\"rename\"", 1), ("operations", "operation=\"readdir\"", 2),
            ("errors", "error_type=\"other\"", 0), ("io_bytes", "direction=\"out\"", 3), ("io_bytes", "direction=\"in\"", 0),
        })
        {
            Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"arvados_keepstore_volume_{name}{{device_id=\"{device}\",{label}}} {value}\n"), metrics, StringComparison.Ordinal);
        }
    }

    private static string Hash(string data) => BlockHash.Compute(Encoding.UTF8.GetBytes(data)).ToString();

    private static string Url(TestKeepstore keepstore) => keepstore.Address.ToString().TrimEnd('/');

    private static Task<string> PutAsync(TestKeepstore keepstore, string data) => keepstore.ExpectAsync(Ok, "PUT", "/" + Hash(data), body: Encoding.UTF8.GetBytes(data));

    private static Task<string> SendAsync(TestKeepstore keepstore, string path, string list, HttpStatusCode expected = Ok) =>
        keepstore.ExpectAsync(expected, "PUT", "/" + path, TestKeepstore.SystemToken, Encoding.UTF8.GetBytes(list));

    private static void Place(TemporaryFolder folder, string named, string content)
    {
        var directory = Directory.CreateDirectory(Path.Join(folder.Path, Hash(named)[..3]));
        File.WriteAllText(Path.Join(directory.FullName, Hash(named)), content);
    }

    private static async Task TrashIdleAsync(TestKeepstore keepstore)
    {
        while (keepstore.Server.Queues.Trash is not { Pending: 0, InProgress: 0 })
        {
            await Task.Yield();
        }
    }

    private static async Task PullIdleAsync(TestKeepstore keepstore)
    {
        while (keepstore.Server.Queues.Pull is not { Pending: 0, InProgress: 0 })
        {
            await Task.Yield();
        }
    }
}
