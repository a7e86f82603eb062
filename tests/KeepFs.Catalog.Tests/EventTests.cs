using System.Net;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;

namespace KeepFs.Catalog.Tests;

/// <summary>Change events over the websocket (python-clients.md, events; decision 0036).</summary>
public abstract class EventTests(DatabaseKind database) : IAsyncLifetime
{
    private const string Subscribe = """{"method":"subscribe","filters":[["event_type","in",["create","update","delete"]]]}""";
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    private TestCatalog _catalog = null!;

    public async Task InitializeAsync() => _catalog = await TestCatalog.StartAsync(database);

    public async Task DisposeAsync() => await _catalog.DisposeAsync();

    [Fact]
    public async Task Listener_is_told_of_every_change_in_order_with_owners_before_and_after()
    {
        using var socket = await ConnectAsync(_catalog.ActiveToken);
        await AskAsync(socket, Subscribe, 200);
        var project = (await _catalog.PostAsync(_catalog.ActiveToken, "groups", new JsonObject { ["group"] = new JsonObject { ["group_class"] = "project", ["name"] = "p" } })).Text_("uuid");
        var uuid = await CreateAsync(_catalog.ActiveToken, "c");
        await _catalog.PutAsync(_catalog.ActiveToken, "collections/" + uuid, new JsonObject { ["collection"] = new JsonObject { ["owner_uuid"] = project } });
        await _catalog.DeleteAsync(_catalog.ActiveToken, "collections/" + uuid);

        var events = new List<JsonNode>();
        while (events.Count < 4)
        {
            var next = await ReceiveAsync(socket);
            if ((string?)next["object_uuid"] is { } about && (about == project || about == uuid))
            {
                events.Add(next);
            }
        }

        Assert.Equal(["create", "create", "update", "update"], events.Select(next => (string?)next["event_type"]));
        Assert.Equal([project, uuid, uuid, uuid], events.Select(next => (string?)next["object_uuid"]));
        Assert.Equal(events.Select(next => (long)next["id"]!).Order(), events.Select(next => (long)next["id"]!));
        Assert.Equal(_catalog.ActiveUser, (string?)events[2]["properties"]!["old_attributes"]!["owner_uuid"]);
        Assert.Equal(project, (string?)events[2]["properties"]!["new_attributes"]!["owner_uuid"]);
        Assert.Null(events[2]["properties"]!["new_attributes"]!["manifest_text"]);
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
        Assert.Equal(WebSocketCloseStatus.NormalClosure, socket.CloseStatus);
    }

    [Fact]
    public async Task Listener_is_not_told_of_what_its_user_may_not_read()
    {
        using var socket = await ConnectAsync(_catalog.SpectatorToken);
        await AskAsync(socket, Subscribe, 200);
        await CreateAsync(_catalog.ActiveToken, "not yours");
        var mine = await CreateAsync(_catalog.SpectatorToken, "mine");

        Assert.Equal(mine, (string?)(await ReceiveAsync(socket))["object_uuid"]);
    }

    [Fact]
    public async Task Filters_of_all_subscriptions_count_and_nothing_is_told_twice()
    {
        var (first, second, third) = (await CreateAsync(_catalog.ActiveToken, "1"), await CreateAsync(_catalog.ActiveToken, "2"), await CreateAsync(_catalog.ActiveToken, "3"));
        using var socket = await ConnectAsync(_catalog.ActiveToken);
        await AskAsync(socket, About(first), 200);
        await AskAsync(socket, About(third), 200);
        await AskAsync(socket, $$"""{"method":"subscribe","filters":[["object_uuid","in",["{{first}}","{{third}}"]]]}""", 200);
        foreach (var uuid in (string[])[first, second, third])
        {
            await RenameAsync(uuid, "renamed " + uuid);
        }

        Assert.Equal(first, (string?)(await ReceiveAsync(socket))["object_uuid"]);
        Assert.Equal(third, (string?)(await ReceiveAsync(socket))["object_uuid"]);

        await AskAsync(socket, About(first).Replace("subscribe", "unsubscribe", StringComparison.Ordinal), 200);
        await AskAsync(socket, About(second).Replace("subscribe", "unsubscribe", StringComparison.Ordinal), 404);
        await RenameAsync(third, "second time");
        Assert.Equal(third, (string?)(await ReceiveAsync(socket))["object_uuid"]);
    }

    [Fact]
    public async Task Who_comes_again_is_told_what_happened_in_between()
    {
        var uuid = await CreateAsync(_catalog.ActiveToken, "c");
        var last = (long)(await _catalog.GetAsync(_catalog.ActiveToken, "logs?order=id desc&limit=1")).Json["items"]![0]!["id"]!;
        for (var i = 0; i < 250; i++)
        {
            await RenameAsync(uuid, "name " + i);
        }

        using var socket = await ConnectAsync(_catalog.ActiveToken);
        await SendAsync(socket, $$"""{"method":"subscribe","filters":[["object_uuid","=","{{uuid}}"]],"last_log_id":{{last}}}""");
        var names = new List<string?>();
        while (names.Count < 250)
        {
            var next = await ReceiveAsync(socket);
            if (next["status"] is null)
            {
                names.Add((string?)next["properties"]!["new_attributes"]!["name"]);
            }
        }

        Assert.Equal(Enumerable.Range(0, 250).Select(i => "name " + i), names);
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("[]")]
    [InlineData("""{"method":"dance"}""")]
    [InlineData("""{"method":"subscribe","filters":[["nosuch","=","x"]]}""")]
    [InlineData("""{"method":"subscribe","filters":"x"}""")]
    [InlineData("""{"method":"subscribe","filters":[["id",">","x'; drop table logs; --"]]}""")]
    public async Task Wrong_message_is_answered_and_the_connection_stays(string message)
    {
        using var socket = await ConnectAsync(_catalog.ActiveToken);
        await AskAsync(socket, message, 400);
        await AskAsync(socket, Subscribe, 200);
    }

    [Fact]
    public async Task Too_long_message_ends_the_connection()
    {
        using var socket = await ConnectAsync(_catalog.ActiveToken);
        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            await SendAsync(socket, new string(' ', 1 << 20));
            await ReceiveAsync(socket);
        });
    }

    [Fact]
    public async Task Without_a_good_token_or_the_protocol_there_is_no_connection()
    {
        using var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        await Assert.ThrowsAsync<WebSocketException>(() => socket.ConnectAsync(Address("v2/zzzzz-gj3su-nosuchnosuchnos/nosuchsecret"), CancellationToken.None));
        Assert.Equal(HttpStatusCode.Unauthorized, socket.HttpStatusCode);
        using var plain = await _catalog.Http.GetAsync(new Uri("/websocket?api_token=" + _catalog.ActiveToken, UriKind.Relative));
        Assert.Equal(HttpStatusCode.UpgradeRequired, plain.StatusCode);
    }

    [Fact]
    public async Task Revoked_token_ends_the_connection_with_the_next_change()
    {
        var token = (await _catalog.PostAsync(_catalog.ActiveToken, "api_client_authorizations", [])).Json;
        using var socket = await ConnectAsync($"v2/{token["uuid"]}/{token["api_token"]}");
        await AskAsync(socket, About("zzzzz-4zz18-nosuchnosuchnos"), 200);
        Assert.Equal(200, (await _catalog.DeleteAsync(_catalog.ActiveToken, "api_client_authorizations/" + token["uuid"])).Status);

        using var limit = new CancellationTokenSource(Limit);
        var end = await socket.ReceiveAsync(new byte[1024].AsMemory(), limit.Token);
        Assert.Equal(WebSocketMessageType.Close, end.MessageType);
        Assert.Equal(WebSocketCloseStatus.PolicyViolation, socket.CloseStatus);
    }

    private static string About(string uuid) => $$"""{"method":"subscribe","filters":[["object_uuid","=","{{uuid}}"]]}""";

    private static Task SendAsync(ClientWebSocket socket, string message) => socket.SendAsync(Encoding.UTF8.GetBytes(message), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);

    private static async Task AskAsync(ClientWebSocket socket, string message, int expected)
    {
        await SendAsync(socket, message);
        Assert.Equal(expected, (int?)(await ReceiveAsync(socket))["status"]);
    }

    private static async Task<JsonNode> ReceiveAsync(ClientWebSocket socket)
    {
        using var limit = new CancellationTokenSource(Limit);
        var buffer = new byte[1 << 20];
        var count = 0;
        ValueWebSocketReceiveResult part;
        do
        {
            part = await socket.ReceiveAsync(buffer.AsMemory(count), limit.Token);
            Assert.Equal(WebSocketMessageType.Text, part.MessageType);
            count += part.Count;
        }
        while (!part.EndOfMessage);
        return JsonNode.Parse(buffer.AsSpan(0, count))!;
    }

    private Uri Address(string token) => new(new UriBuilder(_catalog.Http.BaseAddress!) { Scheme = "ws", Path = "/websocket", Query = "api_token=" + token }.Uri.AbsoluteUri);

    private async Task<ClientWebSocket> ConnectAsync(string token)
    {
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(Address(token), CancellationToken.None);
        return socket;
    }

    private async Task<string> CreateAsync(string token, string name) =>
        (await _catalog.PostAsync(token, "collections", new JsonObject { ["collection"] = new JsonObject { ["name"] = name } })).Text_("uuid");

    private async Task RenameAsync(string uuid, string name) =>
        Assert.Equal(200, (await _catalog.PutAsync(_catalog.ActiveToken, "collections/" + uuid, new JsonObject { ["collection"] = new JsonObject { ["name"] = name } })).Status);
}
