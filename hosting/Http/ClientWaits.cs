using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace KeepFs.Hosting.Http;

/// <summary>
/// A response body that gives the request's turn away whenever the client does not take what is written. What completes at once costs nothing more.
/// </summary>
internal sealed class ClientWaits(IHttpResponseBodyFeature inner, RequestTurn turn, CancellationToken aborted) : IHttpResponseBodyFeature
{
    private WatchedStream? _stream;
    private WatchedWriter? _writer;

    public Stream Stream => _stream ??= new WatchedStream(inner.Stream, turn, aborted);

    public PipeWriter Writer => _writer ??= new WatchedWriter(inner.Writer, turn, aborted);

    /// <summary>Watches both bodies of a request.</summary>
    public static void Watch(HttpContext context, RequestTurn turn)
    {
        context.Features.Set<IHttpResponseBodyFeature>(new ClientWaits(context.Features.GetRequiredFeature<IHttpResponseBodyFeature>(), turn, context.RequestAborted));
        context.Request.Body = new WatchedStream(context.Request.Body, turn, context.RequestAborted);
    }

    public void DisableBuffering() => inner.DisableBuffering();

    public Task StartAsync(CancellationToken cancellationToken = default) => inner.StartAsync(cancellationToken);

    public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) =>
        SendFileFallback.SendFileAsync(Stream, path, offset, count, cancellationToken);

    public async Task CompleteAsync()
    {
        if (_writer is not null)
        {
            await _writer.FlushAsync(aborted);
        }

        await inner.CompleteAsync();
    }
}
