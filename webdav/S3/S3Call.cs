using KeepFs.WebDav.S3.Protocol;
using KeepFs.WebDav.S3.Signing;
using KeepFs.WebDav.Sessions;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.S3;

/// <summary>An S3 request whose signature was verified.</summary>
/// <param name="Http">The request.</param>
/// <param name="Target">Bucket and key.</param>
/// <param name="Query">Its parameters.</param>
/// <param name="Identity">Who signed it.</param>
/// <param name="Session">Of the token that signed it.</param>
internal sealed record S3Call(HttpContext Http, S3Target Target, S3Query Query, S3Identity Identity, Session Session)
{
    public CancellationToken Aborted => Http.RequestAborted;

    /// <summary>First value of a header, "" when it is absent.</summary>
    public string Header(string name) => Http.Request.Headers[name].ToString();
}
