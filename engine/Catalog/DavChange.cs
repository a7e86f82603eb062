using System.Text.Json.Serialization;

namespace KeepFs.Engine.Catalog;

/// <summary>
/// What WebDAV adds to a change of a collection (docs/decisions/0029): done in the same transaction, so that nothing slips between a check and its
/// write. Catalogues that are not ours ignore it.
/// </summary>
public sealed record DavChange
{
    /// <summary>What the change writes, to be checked against the locks. Changes of several requests can be joined by joining these.</summary>
    [JsonPropertyName("writes")]
    public IReadOnlyList<DavWrite> Writes { get; init; } = [];

    /// <summary>Dead properties to take from elsewhere. What <c>current/...</c> copies and moves takes its properties along by itself.</summary>
    [JsonPropertyName("copies")]
    public IReadOnlyList<DavPropertyCopy>? Copies { get; init; }

    /// <summary>
    /// Records that must still have the names by which they were found, for who writes without having looked. With it the answer's
    /// <see cref="Collection.DavState"/> tells for each put of <see cref="Writes"/>, in their order, whether there was a file: '1' or '0'.
    /// </summary>
    [JsonPropertyName("expects")]
    public IReadOnlyList<DavExpectation>? Expects { get; init; }

    /// <summary>A collection that goes to the trash with this change, because the changed or created one takes its name.</summary>
    [JsonPropertyName("replaces")]
    public string? Replaces { get; init; }

    /// <summary>The locks in the collection end: it gets another name, and locks do not move with what they lock.</summary>
    [JsonPropertyName("ends_locks")]
    public bool EndsLocks { get; init; }
}

/// <summary>One resource that a request writes.</summary>
public sealed record DavWrite
{
    /// <summary>Inside the collection, without leading slash.</summary>
    [JsonPropertyName("path")]
    public required string Path { get; init; }

    /// <summary>Everything below is written too.</summary>
    [JsonPropertyName("recursive")]
    public bool IsRecursive { get; init; }

    /// <summary>The resource appears in, or disappears from, its directory.</summary>
    [JsonPropertyName("membership")]
    public bool ChangesParent { get; init; }

    /// <summary>
    /// Puts a file whose place nobody looked at: the change is refused (422) unless the parent is a directory and the path none, and whether it
    /// <see cref="ChangesParent"/> is found out. Only with <see cref="DavChange.Expects"/>.
    /// </summary>
    [JsonPropertyName("put")]
    public bool IsPut { get; init; }

    /// <summary>Lock tokens that the request submitted.</summary>
    [JsonPropertyName("tokens")]
    public IReadOnlyList<string> Tokens { get; init; } = [];

    /// <summary>The first lock that the write meets without a token of its holder; null when it may go on (RFC 4918 section 7).</summary>
    /// <param name="locks">Those of the collection.</param>
    /// <param name="user">UUID of who writes.</param>
    public DavLock? FindObstacle(IEnumerable<DavLock> locks, string user)
    {
        var parent = !ChangesParent || Path.Length == 0 ? null : Path.LastIndexOf('/') is > 0 and var slash ? Path[..slash] : "";

        // Of several shared locks on one resource one token is enough.
        return locks.Where(found => found.Covers(Path) || found.Path == parent || (IsRecursive && found.LiesBelow(Path)))
            .GroupBy(found => found.Path, StringComparer.Ordinal)
            .FirstOrDefault(group => !group.Any(found => found.Holder == user && Tokens.Contains(found.Token)))?.First();
    }
}

/// <summary>Dead properties of one resource (and what is below) become those of another.</summary>
public sealed record DavPropertyCopy
{
    /// <summary>A readable collection.</summary>
    [JsonPropertyName("from_uuid")]
    public required string FromUuid { get; init; }

    /// <summary>In that collection.</summary>
    [JsonPropertyName("from_path")]
    public required string FromPath { get; init; }

    /// <summary>In the changed collection.</summary>
    [JsonPropertyName("to_path")]
    public required string ToPath { get; init; }

    /// <summary>With everything below.</summary>
    [JsonPropertyName("recursive")]
    public bool IsRecursive { get; init; }
}

/// <summary>A collection or project that is to have a name in a place.</summary>
/// <param name="Uuid">Which one.</param>
/// <param name="OwnerUuid">Where it is.</param>
/// <param name="Name">What it is called there.</param>
public sealed record DavExpectation(
    [property: JsonPropertyName("uuid")] string Uuid, [property: JsonPropertyName("owner_uuid")] string OwnerUuid, [property: JsonPropertyName("name")] string Name);
