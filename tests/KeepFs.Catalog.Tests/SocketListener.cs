using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;

namespace KeepFs.Catalog.Tests;

/// <summary>A client of the change events.</summary>
internal sealed class SocketListener : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    private readonly ClientWebSocket _socket = new();

    /// <summary>Connects and subscribes to creations.</summary>
    public static async Task<SocketListener> StartAsync(TestCatalog catalog, string token)
    {
        var listener = new SocketListener();
        var address = new UriBuilder(catalog.Server.Addresses[0]) { Scheme = "ws", Path = "/websocket", Query = "api_token=" + Uri.EscapeDataString(token) }.Uri;
        await listener._socket.ConnectAsync(address, CancellationToken.None).WaitAsync(Limit);
        await listener._socket.SendAsync(Encoding.UTF8.GetBytes("""{"method":"subscribe","filters":[["event_type","=","create"]]}"""), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
        Assert.Equal(200, (int?)(await listener.ReceiveAsync())!["status"]);
        return listener;
    }

    /// <summary>The next message; null when the server has ended the connection.</summary>
    public async Task<JsonNode?> ReceiveAsync()
    {
        var buffer = new byte[64 << 10];
        var count = 0;
        while (true)
        {
            var part = await _socket.ReceiveAsync(buffer.AsMemory(count), CancellationToken.None).AsTask().WaitAsync(Limit);
            count += part.Count;
            if (part.MessageType == WebSocketMessageType.Close)
            {
                return null;
            }

            if (part.EndOfMessage)
            {
                return JsonNode.Parse(buffer.AsSpan(0, count));
            }
        }
    }

    public void Dispose() => _socket.Dispose();
}
