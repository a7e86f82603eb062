using System.Buffers;
using System.Net.WebSockets;
using System.Text.Json;
using KeepFs.Catalog.Permissions;
using KeepFs.Catalog.Records;

namespace KeepFs.Catalog.Events;

/// <summary>
/// One listener: takes its subscriptions and sends the log records that match one of them and that its user may see. The log is the queue: a listener
/// that is slow reads it later, and nothing is kept for it in memory.
/// </summary>
/// <param name="socket">Not disposed.</param>
/// <param name="catalog">Has the log.</param>
/// <param name="options">Limits.</param>
/// <param name="caller">Whose events they are, asked before each reading: a token that was revoked ends the connection. Null ends it.</param>
/// <param name="replaced">Ends the connection: clients that connect again look at everything again.</param>
internal sealed class EventConnection(WebSocket socket, CatalogContext catalog, CatalogServerOptions options, Func<CancellationToken, Task<Caller?>> caller, Task replaced) : IDisposable
{
    /// <summary>Filters are short; whoever sends more is not one of our clients.</summary>
    private const int MaxMessageBytes = 64 << 10;

    /// <summary>Each costs a query after every change; the clients have one or two.</summary>
    private const int MaxSubscriptions = 16;

    private const int PageRows = 100;

    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _sending = new(1);
    private readonly List<EventSubscription> _subscriptions = [];
    private TaskCompletionSource _subscribed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Dispose() => _sending.Dispose();

    /// <summary>Serves until one side ends it.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var telling = TellAsync(ending.Token);
        var listening = ListenAsync(ending.Token);
        try
        {
            await await Task.WhenAny(telling, listening, replaced);
            if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
            {
                await socket.CloseOutputAsync(telling.IsCompleted ? WebSocketCloseStatus.PolicyViolation : WebSocketCloseStatus.NormalClosure, null, ct);

                // Until the client has read that and closed its side too.
                await listening.WaitAsync(options.EventKeepAlive, catalog.Time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        finally
        {
            await ending.CancelAsync();
            await Task.WhenAll(telling, listening).ContinueWith(static task => _ = task.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    private async Task ListenAsync(CancellationToken ct)
    {
        var buffer = new byte[MaxMessageBytes];
        while (true)
        {
            var count = 0;
            ValueWebSocketReceiveResult part;
            do
            {
                part = await socket.ReceiveAsync(buffer.AsMemory(count), ct);
                count += part.Count;
                if (part.MessageType == WebSocketMessageType.Close || (count == buffer.Length && !part.EndOfMessage))
                {
                    return;
                }
            }
            while (!part.EndOfMessage);

            var (status, message) = await AnswerAsync(buffer.AsMemory(0, count), ct);
            await SendAsync(
                writer =>
                {
                    writer.WriteStartObject();
                    writer.WriteNumber("status", status);
                    if (message is not null)
                    {
                        writer.WriteString("message", message);
                    }

                    writer.WriteEndObject();
                    return ValueTask.CompletedTask;
                },
                ct);
        }
    }

    private async Task<(int Status, string? Message)> AnswerAsync(ReadOnlyMemory<byte> message, CancellationToken ct)
    {
        try
        {
            var (method, subscription) = EventSubscription.Parse(message.Span);
            if (method == "unsubscribe")
            {
                lock (_lock)
                {
                    return _subscriptions.RemoveAll(subscription.HasFiltersOf) > 0 ? (200, null) : (404, "there is no subscription with these filters");
                }
            }

            if (await caller(ct) is not { } user)
            {
                return (403, "the token is not valid any more");
            }

            // Tries the filters, so that what is wrong with them is said now.
            await catalog.Database.ReadAsync(session => subscription.Start(session, user), ct);
            lock (_lock)
            {
                if (_subscriptions.Count >= MaxSubscriptions)
                {
                    return (400, $"at most {MaxSubscriptions} subscriptions at a time");
                }

                _subscriptions.Add(subscription);
                _subscribed.TrySetResult();
            }

            return (200, null);
        }
        catch (ApiException e)
        {
            return (400, e.Message);
        }
    }

    /// <summary>Returns when the token has ended.</summary>
    private async Task TellAsync(CancellationToken ct)
    {
        while (true)
        {
            // Taken before the log is read: what is committed meanwhile makes us look again.
            var since = catalog.Time.GetTimestamp();
            var committed = catalog.Database.Committed;
            Task subscribed;
            EventSubscription[] subscriptions;
            lock (_lock)
            {
                _subscribed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                (subscribed, subscriptions) = (_subscribed.Task, [.. _subscriptions]);
            }

            if (await caller(ct) is not { } user)
            {
                return;
            }

            var isMore = subscriptions.Length > 0 && await TellAsync(subscriptions, user, ct);
            if (!isMore)
            {
                await Task.WhenAny(committed, subscribed).WaitAsync(ct);
                if (options.EventInterval - catalog.Time.GetElapsedTime(since) is var rest && rest > TimeSpan.Zero)
                {
                    await Task.Delay(rest, catalog.Time, ct);
                }
            }
        }
    }

    /// <summary>Sends what is new; true when there may be more.</summary>
    private async Task<bool> TellAsync(EventSubscription[] subscriptions, Caller user, CancellationToken ct)
    {
        var (rows, isMore) = await catalog.Database.ReadAsync(
            session =>
            {
                var found = new SortedDictionary<long, Row>();
                var isFull = false;
                foreach (var subscription in subscriptions)
                {
                    isFull |= subscription.ReadInto(found, session, user, PageRows);
                }

                return (found.Values, isFull);
            },
            ct);
        foreach (var subscription in subscriptions)
        {
            subscription.Advance();
        }

        foreach (var row in rows)
        {
            await SendAsync(writer => RecordJson.WriteAsync(writer, row, EventSubscription.Shown, ct), ct);
        }

        return isMore;
    }

    private async Task SendAsync(Func<Utf8JsonWriter, ValueTask> write, CancellationToken ct)
    {
        var message = new ArrayBufferWriter<byte>(1024);
        await using (var writer = new Utf8JsonWriter(message, RecordJson.WriterOptions))
        {
            await write(writer);
        }

        await _sending.WaitAsync(ct);
        try
        {
            await socket.SendAsync(message.WrittenMemory, WebSocketMessageType.Text, endOfMessage: true, ct);
        }
        finally
        {
            _sending.Release();
        }
    }
}
