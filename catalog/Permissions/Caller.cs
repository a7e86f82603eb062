using KeepFs.Catalog.Storage;

namespace KeepFs.Catalog.Permissions;

/// <summary>Who makes a request, and what the presented token allows (catalog-api.md 1.4, 8). Immutable.</summary>
internal sealed record Caller
{
    public required string UserUuid { get; init; }

    public required bool IsAdmin { get; init; }

    public required bool IsActive { get; init; }

    /// <summary>Authenticated with SystemRootToken.</summary>
    public bool IsSystem { get; init; }

    /// <summary>Authenticated with AnonymousUserToken.</summary>
    public bool IsAnonymous { get; init; }

    /// <summary>The token exactly as it was presented: signatures depend on it.</summary>
    public required string Token { get; init; }

    public required string TokenUuid { get; init; }

    /// <summary>The secret part of the presented token.</summary>
    public required string TokenSecret { get; init; }

    /// <summary>Where the request came from; null for what the server does by itself.</summary>
    public string? Address { get; init; }

    /// <summary>The request, as logs name it; null for what the server does by itself.</summary>
    public string? RequestId { get; init; }

    public IReadOnlyList<string> Scopes { get; init; } = ["all"];

    /// <summary>The user and every user that it manages: their permissions count as its own.</summary>
    public IReadOnlyList<string> ActsAs { get; init; } = [];

    /// <summary>Further users whose read permissions the request also has (<c>reader_tokens</c>).</summary>
    public IReadOnlyList<string> AlsoReadsAs { get; init; } = [];

    /// <summary>Some reader token belongs to an admin.</summary>
    public bool ReadsEverything { get; init; }

    public bool SeesAll => IsAdmin || ReadsEverything;

    public SqlList ActsAsList => SqlList.Of(ActsAs);

    public SqlList ReadsAsList => SqlList.Of(ActsAs.Concat(AlsoReadsAs));
}
