using KeepFs.Engine.Manifests;
using KeepFs.Hosting.Http;
using KeepFs.WebDav.Sessions;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Transfers;

/// <summary>Notes transfers for the audit log (keep-web.md 2.9): no request waits for it. Safe for concurrent use.</summary>
/// <param name="outbox">Sends them; null: <c>WebDAVLogEvents</c> is off.</param>
/// <param name="throttle">Leaves out the further parts of a download.</param>
/// <param name="time">The clock.</param>
internal sealed class TransferLog(TransferOutbox? outbox, DownloadThrottle throttle, TimeProvider time)
{
    /// <summary>A download begins.</summary>
    /// <param name="http">Its request.</param>
    /// <param name="session">Whose token reads.</param>
    /// <param name="collection">What is read.</param>
    /// <param name="path">The file; empty for several.</param>
    /// <param name="offset">Where in the file it begins.</param>
    /// <param name="files">How many.</param>
    public void Downloaded(HttpContext http, Session session, OpenCollection collection, string path, long offset, int files = 1)
    {
        if (outbox is not null && throttle.IsNew((http.Request.Path, session.Token, ClientOf(http), UuidOf(collection), path), offset))
        {
            outbox.Add(new TransferEvent(session, TransferEvent.Download, PathOf(http), UuidOf(collection), path, files, time.GetUtcNow(), collection.Record.PortableDataHash));
        }
    }

    /// <summary>A file was saved.</summary>
    public void Uploaded(HttpContext http, Session session, OpenCollection collection, string path) =>
        outbox?.Add(new TransferEvent(session, TransferEvent.Upload, PathOf(http), UuidOf(collection), path, 1, time.GetUtcNow(), null));

    private static string PathOf(HttpContext http) => RequestLog.WithoutSecrets(http.Request.Path.Value);

    private static string UuidOf(OpenCollection collection) => PortableDataHash.IsPortableDataHash(collection.Id) ? "" : collection.Id;

    /// <summary>The last address that a proxy added, else the peer's.</summary>
    private static string ClientOf(HttpContext http) =>
        http.Request.Headers["X-Forwarded-For"].ToString().Split(',', StringSplitOptions.TrimEntries).LastOrDefault(text => System.Net.IPAddress.TryParse(text, out _))
        ?? http.Connection.RemoteIpAddress?.ToString() ?? "";
}
