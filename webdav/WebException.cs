namespace KeepFs.WebDav;

/// <summary>A request that gets an error status by the rules of HTTP, WebDAV or our tree; the message goes to the client.</summary>
internal sealed class WebException(int status, string message) : Exception(message)
{
    public int Status => status;

    /// <summary>Name of the <c>DAV:</c> precondition for an XML body, or null for plain text.</summary>
    public string? Precondition { get; init; }

    /// <summary>The URL that the precondition is about, or null.</summary>
    public string? PreconditionHref { get; init; }
}
