using KeepFs.WebDav.Requests;
using KeepFs.WebDav.Sessions;
using KeepFs.WebDav.Tree;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav;

/// <summary>A request whose token and target are known.</summary>
/// <param name="Http">The request.</param>
/// <param name="Path">The URL's path as the client wrote it.</param>
/// <param name="Site">The path by its form.</param>
/// <param name="Session">Of the token that could open the target.</param>
/// <param name="Place">What the path names.</param>
/// <param name="IsAttachment">Files are sent as attachments.</param>
internal sealed record WebRequest(HttpContext Http, RequestPath Path, SitePath Site, Session Session, Place Place, bool IsAttachment)
{
    /// <summary>What the host name says that all its paths are in, or null.</summary>
    public string? HostId => Site.Form == SiteForm.Host ? Site.Id : null;

    /// <summary>What a proxy shows.</summary>
    public required ProxyView View { get; init; }

    public CancellationToken Aborted => Http.RequestAborted;
}
