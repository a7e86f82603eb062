namespace KeepFs.Engine.Client;

/// <summary>One Keep service as the catalogue lists it (blocks.md section 4.3).</summary>
/// <param name="Uuid">Feeds the rendezvous order.</param>
/// <param name="BaseUri">Ends with a slash; a locator is appended.</param>
/// <param name="ServiceType"><c>disk</c>, <c>blob</c>, <c>proxy</c> or <c>gateway:NAME</c>.</param>
/// <param name="IsReadOnly">Gets no PUT.</param>
public sealed record KeepService(string Uuid, Uri BaseUri, string ServiceType, bool IsReadOnly)
{
    /// <summary>Used only through a <c>+K@uuid</c> hint.</summary>
    public bool IsGateway => ServiceType.StartsWith("gateway:", StringComparison.Ordinal);

    /// <summary>Stores exactly one copy per request.</summary>
    public bool IsDisk => ServiceType == "disk";
}
