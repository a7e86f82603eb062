using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using KeepFs.Engine.Volumes;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace KeepFs.Hosting.Transport;

/// <summary>One connection of <see cref="PolledTransport"/>, as Kestrel wants it.</summary>
internal sealed class PolledConnection : ConnectionContext, IDuplexPipe, IBlockTransfer
{
    private readonly CancellationTokenSource _closed = new();
    private readonly PolledSocket _socket;
    private readonly PolledReader _reader;
    private readonly PolledWriter _writer;
    private readonly TaskCompletionSource _told = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _isTelling;

    public PolledConnection(Socket socket, SocketPoller poller)
    {
        LocalEndPoint = socket.LocalEndPoint;
        RemoteEndPoint = socket.RemoteEndPoint;
        ConnectionClosed = _closed.Token;
        Transport = this;
        Features.Set<IBlockTransfer>(this);
        _socket = new PolledSocket(socket, poller, TellClosed);
        _reader = new PolledReader(_socket);
        _writer = new PolledWriter(_socket);
    }

    public override string ConnectionId { get; set; } = Guid.NewGuid().ToString("n");

    public override IFeatureCollection Features { get; } = new FeatureCollection();

    public override IDictionary<object, object?> Items { get; set; } = new ConnectionItems();

    public override IDuplexPipe Transport { get; set; }

    public override EndPoint? LocalEndPoint { get; set; }

    public override EndPoint? RemoteEndPoint { get; set; }

    public override CancellationToken ConnectionClosed { get; set; }

    PipeReader IDuplexPipe.Input => _reader;

    PipeWriter IDuplexPipe.Output => _writer;

    public void ReceiveInto(Memory<byte> destination) => _reader.ReceiveInto(destination);

    public void StopReceiving() => _reader.StopReceiving();

    public void SendFrom(ReadOnlyMemory<byte> source) => _writer.SendFrom(source);

    public void SendFrom(BlockFile source) => _writer.SendFrom(source);

    public override void Abort(ConnectionAbortedException abortReason) => _socket.Reset();

    public override async ValueTask DisposeAsync()
    {
        _socket.Dispose();
        TellClosed();
        await _told.Task;
        _closed.Dispose();
        await base.DisposeAsync();
    }

    /// <summary>On a pool thread: whoever listens may do anything, and the socket's thread has others to serve.</summary>
    private void TellClosed()
    {
        if (Interlocked.Exchange(ref _isTelling, 1) == 0)
        {
            ThreadPool.UnsafeQueueUserWorkItem(
                static connection =>
                {
                    try
                    {
                        connection._closed.Cancel();
                    }
                    finally
                    {
                        connection._told.SetResult();
                    }
                },
                this,
                preferLocal: false);
        }
    }
}
