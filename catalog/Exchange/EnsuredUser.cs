namespace KeepFs.Catalog.Exchange;

/// <summary>A user with a token that whoever started the server wants to have (<see cref="CatalogServer.EnsureUserAsync"/>).</summary>
internal sealed record EnsuredUser(string Username, bool IsAdmin, string TokenUuid, string TokenSecret);
