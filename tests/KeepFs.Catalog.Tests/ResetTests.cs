using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;

namespace KeepFs.Catalog.Tests;

/// <summary><c>POST /database/reset</c> of servers in test mode (docs/decisions/0035-catalog-export.md).</summary>
public abstract class ResetTests(DatabaseKind database) : IAsyncLifetime
{
    private const string Imported = """{"kind":"arvados#user","uuid":"zzzzz-tpzed-importedimporte","username":"imported","is_active":true}""" + "\n"
        + """{"kind":"arvados#collection","uuid":"zzzzz-4zz18-importedimporte","owner_uuid":"zzzzz-tpzed-importedimporte","name":"data"}""" + "\n"
        + """{"kind":"arvados#apiClientAuthorization","uuid":"zzzzz-gj3su-importedimporte","owner_uuid":"zzzzz-tpzed-importedimporte","api_token":"importedsecret"}""" + "\n";

    private TestCatalog _catalog = null!;

    public async Task InitializeAsync() => _catalog = await TestCatalog.StartAsync(database, isTestMode: true);

    public async Task DisposeAsync() => await _catalog.DisposeAsync();

    [Fact]
    public async Task Reset_returns_to_the_first_start_while_nothing_was_imported()
    {
        var before = await _catalog.ExportAsync(_catalog.AdminToken);
        await SpoilAsync();

        await ResetAsync();

        Assert.Equal(before, await _catalog.ExportAsync(_catalog.AdminToken));
        await SpoilAsync();
        await _catalog.RestartAsync();
        await ResetAsync();
        Assert.Equal(before, await _catalog.ExportAsync(_catalog.AdminToken));
    }

    [Fact]
    public async Task Reset_returns_to_the_last_import_again_and_again_and_after_a_restart()
    {
        Assert.Equal(200, (await _catalog.ImportAsync(_catalog.AdminToken, Imported)).Status);
        var before = await _catalog.ExportAsync(_catalog.AdminToken);
        var etag = (await _catalog.GetAsync("importedsecret", "collections/zzzzz-4zz18-importedimporte")).Text_("etag");
        for (var i = 0; i < 3; i++)
        {
            _catalog.Clock.Advance(TimeSpan.FromSeconds(1));
            await SpoilAsync();
            Assert.Equal(200, (await _catalog.PutAsync("importedsecret", "collections/zzzzz-4zz18-importedimporte", new JsonObject { ["name"] = "changed" })).Status);
            await _catalog.DeleteAsync(_catalog.AdminToken, "api_client_authorizations/zzzzz-gj3su-importedimporte");
            await ResetAsync();
            Assert.Equal(before, await _catalog.ExportAsync(_catalog.AdminToken));
            var now = await _catalog.GetAsync("importedsecret", "collections/zzzzz-4zz18-importedimporte");
            Assert.Equal("data", now.Text_("name"));
            Assert.NotEqual(etag, now.Text_("etag"));
            etag = now.Text_("etag");
        }

        await SpoilAsync();
        await _catalog.RestartAsync();
        await ResetAsync();
        Assert.Equal(before, await _catalog.ExportAsync(_catalog.AdminToken));
    }

    [Fact]
    public async Task A_refused_import_leaves_the_state_to_return_to()
    {
        Assert.Equal(200, (await _catalog.ImportAsync(_catalog.AdminToken, Imported)).Status);
        var before = await _catalog.ExportAsync(_catalog.AdminToken);
        await SpoilAsync();
        Assert.Equal(422, (await _catalog.ImportAsync(_catalog.AdminToken, Imported)).Status);

        await ResetAsync();

        Assert.Equal(before, await _catalog.ExportAsync(_catalog.AdminToken));
    }

    [Fact]
    public async Task Listeners_are_cut_off_so_that_they_look_again()
    {
        using var socket = new ClientWebSocket();
        var address = new UriBuilder(_catalog.Http.BaseAddress!) { Scheme = "ws", Path = "/websocket", Query = "api_token=" + _catalog.ActiveToken };
        await socket.ConnectAsync(address.Uri, CancellationToken.None);
        await socket.SendAsync(Encoding.UTF8.GetBytes("""{"method":"subscribe"}"""), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
        var buffer = new byte[4096];
        Assert.Equal(WebSocketMessageType.Text, (await socket.ReceiveAsync(buffer, CancellationToken.None)).MessageType);

        await ResetAsync();

        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        Assert.Equal(WebSocketMessageType.Close, (await socket.ReceiveAsync(buffer, limit.Token)).MessageType);
    }

    [Fact]
    public async Task Only_admins_reset()
    {
        var uuid = await SpoilAsync();
        Assert.Equal(403, (await _catalog.PostAsync(_catalog.ActiveToken, "/database/reset")).Status);
        Assert.Equal(401, (await _catalog.PostAsync("nosuchtoken", "/database/reset")).Status);
        Assert.Equal(200, (await _catalog.GetAsync(_catalog.ActiveToken, $"collections/{uuid}")).Status);
    }

    private async Task<string> SpoilAsync()
    {
        await _catalog.CreateAsync(_catalog.AdminToken, "users", []);
        await _catalog.CreateAsync(_catalog.ActiveToken, "groups", new JsonObject { ["name"] = "spoiled", ["group_class"] = "project" });
        return await _catalog.CreateAsync(_catalog.ActiveToken, "collections", new JsonObject { ["manifest_text"] = "" });
    }

    private async Task ResetAsync()
    {
        var answer = await _catalog.PostAsync(_catalog.AdminToken, "/database/reset");
        Assert.True(answer.Status == 200, answer.Text);
        Assert.True(answer.Json["success"]!.GetValue<bool>());
    }
}
