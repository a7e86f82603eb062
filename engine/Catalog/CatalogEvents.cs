using System.Buffers;
using System.Net.WebSockets;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;

namespace KeepFs.Engine.Catalog;

/// <summary>What others change, as it happens.</summary>
public interface ICatalogEvents
{
    /// <summary>
    /// Connects and yields null once events flow, then one item per event, until the server closes the connection. Listening again connects
    /// again; what happened in between is not told.
    /// </summary>
    /// <exception cref="CatalogException">It cannot connect, or the connection broke.</exception>
    IAsyncEnumerable<CatalogEvent?> ListenAsync(CancellationToken cancellationToken);
}

/// <summary>One change of an object.</summary>
/// <param name="Type">create, update or delete.</param>
/// <param name="ObjectUuid">What changed.</param>
/// <param name="Owners">Its owner, before and after.</param>
public sealed record CatalogEvent(string Type, string ObjectUuid, IReadOnlyList<string> Owners);

/// <summary>
/// Change events over the cluster's websocket (python-clients.md: one subscribe message, then one JSON object per event). Uses the proxy and
/// certificate rules of the given client.
/// </summary>
/// <param name="http">Makes the connection; owned by the caller.</param>
/// <param name="url">As the cluster's configuration has it; http and https mean ws and wss.</param>
/// <param name="token">The user's token.</param>
public sealed class CatalogEvents(HttpMessageInvoker http, Uri url, string token) : ICatalogEvents
{
    /// <summary>Longer messages are read past: an event holds the attributes of one record, without its manifest.</summary>
    private const int MaxMessageBytes = 16 << 20;

    private static readonly byte[] Subscribe = """{"method":"subscribe","filters":[["event_type","in",["create","update","delete"]]]}"""u8.ToArray();

    /// <inheritdoc/>
    public async IAsyncEnumerable<CatalogEvent?> ListenAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var socket = new ClientWebSocket();
        socket.Options.KeepAliveInterval = TimeSpan.FromSeconds(30);
        socket.Options.KeepAliveTimeout = TimeSpan.FromSeconds(30);
        await GuardAsync(async () =>
        {
            await socket.ConnectAsync(Address(), http, cancellationToken);
            await socket.SendAsync(Subscribe, WebSocketMessageType.Text, endOfMessage: true, cancellationToken);
            return true;
        });
        var message = new ArrayBufferWriter<byte>(4096);
        while (await GuardAsync(() => ReadAsync(socket, message, cancellationToken)))
        {
            var (isStatus, change) = Parse(message.WrittenSpan);
            if (isStatus || change is not null)
            {
                yield return change;
            }
        }
    }

    private Uri Address()
    {
        var builder = new UriBuilder(url)
        {
            Scheme = url.Scheme is "http" or "ws" ? "ws" : "wss",
            Path = url.AbsolutePath == "/" ? "/websocket" : url.AbsolutePath,

            // Not escaped: a v2 token's slashes are sent as they are.
            Query = "api_token=" + token,
        };
        return builder.Uri;
    }

    /// <summary>False when the server has closed.</summary>
    private static async Task<bool> ReadAsync(ClientWebSocket socket, ArrayBufferWriter<byte> message, CancellationToken cancellationToken)
    {
        message.ResetWrittenCount();
        while (true)
        {
            var buffer = message.GetMemory(4096);
            var part = await socket.ReceiveAsync(buffer, cancellationToken);
            if (part.MessageType == WebSocketMessageType.Close)
            {
                return false;
            }

            if (message.WrittenCount + part.Count <= MaxMessageBytes)
            {
                message.Advance(part.Count);
            }

            if (part.EndOfMessage)
            {
                return true;
            }
        }
    }

    /// <summary>The answer to the subscription counts as a sign of life; anything else without an object is not for us.</summary>
    private static (bool IsStatus, CatalogEvent? Change) Parse(ReadOnlySpan<byte> message)
    {
        try
        {
            var reader = new Utf8JsonReader(message);
            using var document = JsonDocument.ParseValue(ref reader);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
            {
                return (false, null);
            }

            if (root.TryGetProperty("status", out var status))
            {
                return status.ValueKind == JsonValueKind.Number && status.GetInt32() == 200
                    ? (true, null)
                    : throw new CatalogException(CatalogErrorKind.Forbidden, $"The server of change events refused the subscription: {root.GetRawText()}");
            }

            return Text(root, "object_uuid") is { } uuid
                ? (false, new CatalogEvent(Text(root, "event_type") ?? "", uuid, [.. Owners(root).OfType<string>().Distinct(StringComparer.Ordinal)]))
                : (false, null);
        }
        catch (JsonException e)
        {
            throw new CatalogException(CatalogErrorKind.Unavailable, $"The server of change events sent something that is not JSON: {Encoding.UTF8.GetString(message[..Math.Min(message.Length, 80)])}", e);
        }
    }

    private static IEnumerable<string?> Owners(JsonElement root)
    {
        yield return Text(root, "object_owner_uuid");
        if (root.TryGetProperty("properties", out var properties) && properties.ValueKind == JsonValueKind.Object)
        {
            foreach (var name in (string[])["old_attributes", "new_attributes"])
            {
                if (properties.TryGetProperty(name, out var attributes) && attributes.ValueKind == JsonValueKind.Object)
                {
                    yield return Text(attributes, "owner_uuid");
                }
            }
        }
    }

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private async Task<T> GuardAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception e) when (e is WebSocketException or HttpRequestException or IOException and not CatalogException)
        {
            throw new CatalogException(CatalogErrorKind.Unavailable, $"The server of change events at {url.GetLeftPart(UriPartial.Path)}: {e.Message}", e);
        }
    }
}
