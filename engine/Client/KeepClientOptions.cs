namespace KeepFs.Engine.Client;

/// <summary>How a <see cref="KeepClient"/> tries (blocks.md sections 6 and 7).</summary>
public sealed record KeepClientOptions
{
    /// <summary>The token whose signatures the locators carry.</summary>
    public required string Token { get; init; }

    /// <summary>Copies of each block when a write does not say.</summary>
    public int DefaultReplicas { get; init; } = 2;

    /// <summary>Classes for writes that name none; empty = none is asked for.</summary>
    public IReadOnlyList<string> DefaultStorageClasses { get; init; } = [];

    /// <summary>Passes over the service list: one, and two retries, as the original.</summary>
    public int Attempts { get; init; } = 3;

    /// <summary>Longest wait before the second pass; doubles for each further one, up to <see cref="MaxRetryDelay"/>.</summary>
    public TimeSpan FirstRetryDelay { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Longest wait between passes.</summary>
    public TimeSpan MaxRetryDelay { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>A service that sends or takes nothing for this long has failed. A disk may need seconds to spin up; nobody waits for ever.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Sent as <c>X-Request-Id</c> with every request; null = none.</summary>
    public string? RequestId { get; init; }
}
