namespace KeepFs.Engine.Catalog;

/// <summary>How a <see cref="CatalogClient"/> asks.</summary>
public sealed record CatalogClientOptions
{
    /// <summary>Root of the API, with a slash at its end.</summary>
    public required Uri ApiRoot { get; init; }

    /// <summary>The user's token, sent as it is.</summary>
    public required string Token { get; init; }

    /// <summary>Tries of a request that can be repeated safely.</summary>
    public int Attempts { get; init; } = 4;

    /// <summary>Longest wait before the second try; doubles for each further one.</summary>
    public TimeSpan FirstRetryDelay { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>A try that takes longer has failed; manifests can be a hundred megabytes.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Items asked for at once.</summary>
    public int PageSize { get; init; } = 1000;

    /// <summary>Single collections come with <see cref="Collection.DavState"/>.</summary>
    public bool AsksForDav { get; init; }

    /// <summary>Sent as <c>X-Request-Id</c>; null = none.</summary>
    public string? RequestId { get; init; }
}
