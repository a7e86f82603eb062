using System.Net;
using System.Net.WebSockets;
using System.Text;
using System.Threading.Channels;
using KeepFs.Engine.Catalog;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KeepFs.Cli.Tests.Mount;

/// <summary>The client of change events against a real websocket server that speaks the documented form.</summary>
public sealed class CatalogEventsTests : IAsyncLifetime, IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly Channel<string?> _toClient = Channel.CreateUnbounded<string?>();
    private readonly TaskCompletionSource<(string Path, string Subscription)> _subscribed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly HttpClient _http = new();
    private WebApplication? _server;

    public async Task InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        _server = builder.Build();
        _server.UseWebSockets();
        _server.Run(ServeAsync);
        await _server.StartAsync();
    }

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public async ValueTask DisposeAsync()
    {
        _toClient.Writer.TryComplete();
        _http.Dispose();
        await _server!.DisposeAsync();
    }

    [Fact]
    public async Task Subscribes_with_the_token_and_tells_each_change_with_its_owners()
    {
        using var limit = new CancellationTokenSource(Limit);
        await using var events = Events("v2/zzzzz-gj3su-aaaaaaaaaaaaaaa/secret").ListenAsync(limit.Token).GetAsyncEnumerator(limit.Token);
        Send("""{"status":200}""");
        Assert.True(await events.MoveNextAsync());
        Assert.Null(events.Current);
        var (path, subscription) = await _subscribed.Task;
        Assert.Equal("/websocket?api_token=v2/zzzzz-gj3su-aaaaaaaaaaaaaaa/secret", path);
        Assert.Equal("""{"method":"subscribe","filters":[["event_type","in",["create","update","delete"]]]}""", subscription);

        Send("""
            {"msgID":1,"id":7,"event_type":"update","object_uuid":"zzzzz-4zz18-aaaaaaaaaaaaaaa","object_owner_uuid":"zzzzz-j7d0g-now",
             "properties":{"old_attributes":{"owner_uuid":"zzzzz-j7d0g-old"},"new_attributes":{"owner_uuid":"zzzzz-j7d0g-now"}}}
            """);
        Assert.True(await events.MoveNextAsync());
        Assert.Equal(("update", "zzzzz-4zz18-aaaaaaaaaaaaaaa"), (events.Current!.Type, events.Current.ObjectUuid));
        Assert.Equal(["zzzzz-j7d0g-now", "zzzzz-j7d0g-old"], events.Current.Owners);
    }

    [Fact]
    public async Task What_is_not_for_us_is_passed_over_and_a_long_message_arrives_whole()
    {
        using var limit = new CancellationTokenSource(Limit);
        await using var events = Events("t").ListenAsync(limit.Token).GetAsyncEnumerator(limit.Token);
        Send("""{"hello":"world"}""");
        Send("[1,2]");
        Send("""{"event_type":"create","object_uuid":"x","properties":{"new_attributes":{"name":"NAME","owner_uuid":"y"}}}""".Replace("NAME", new string('n', 200_000), StringComparison.Ordinal));
        Assert.True(await events.MoveNextAsync());
        Assert.Equal(("create", "x", "y"), (events.Current!.Type, events.Current.ObjectUuid, Assert.Single(events.Current.Owners)));
    }

    [Fact]
    public async Task Listening_ends_when_the_server_closes()
    {
        using var limit = new CancellationTokenSource(Limit);
        await using var events = Events("t").ListenAsync(limit.Token).GetAsyncEnumerator(limit.Token);
        Send(null);
        Assert.False(await events.MoveNextAsync());
    }

    [Theory]
    [InlineData("""{"status":400}""")]
    [InlineData("not json")]
    public async Task A_refusal_or_nonsense_is_an_error(string message)
    {
        using var limit = new CancellationTokenSource(Limit);
        await using var events = Events("t").ListenAsync(limit.Token).GetAsyncEnumerator(limit.Token);
        Send(message);
        await Assert.ThrowsAsync<CatalogException>(() => events.MoveNextAsync().AsTask());
    }

    [Fact]
    public async Task No_server_is_an_error_that_names_the_address_without_the_token()
    {
        var address = Address();
        await _server!.StopAsync();
        await using var events = new CatalogEvents(_http, address, "secret").ListenAsync(default).GetAsyncEnumerator();
        var failure = await Assert.ThrowsAsync<CatalogException>(() => events.MoveNextAsync().AsTask());
        Assert.Contains(address.Port.ToString(System.Globalization.CultureInfo.InvariantCulture), failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", failure.Message, StringComparison.Ordinal);
    }

    private CatalogEvents Events(string token) => new(_http, Address(), token);

    private Uri Address() => new(_server!.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    private void Send(string? message) => _toClient.Writer.TryWrite(message);

    private async Task ServeAsync(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var buffer = new byte[4096];
        var subscription = await socket.ReceiveAsync(buffer, context.RequestAborted);
        _subscribed.TrySetResult((context.Request.Path + Uri.UnescapeDataString(context.Request.QueryString.Value!), Encoding.UTF8.GetString(buffer, 0, subscription.Count)));
        await foreach (var message in _toClient.Reader.ReadAllAsync(context.RequestAborted))
        {
            if (message is null)
            {
                await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "bye", context.RequestAborted);
                return;
            }

            await socket.SendAsync(Encoding.UTF8.GetBytes(message), WebSocketMessageType.Text, endOfMessage: true, context.RequestAborted);
        }
    }
}
