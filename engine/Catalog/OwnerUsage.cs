using System.Text.Json.Serialization;

namespace KeepFs.Engine.Catalog;

/// <summary>What a user or project holds, and what may come (docs/decisions/0038).</summary>
public sealed record OwnerUsage
{
    /// <summary>Size of all files in collections inside, however deep.</summary>
    [JsonPropertyName("bytes")]
    public long Bytes { get; init; }

    /// <summary>Bytes that the quotas around still allow; null when none limits them.</summary>
    [JsonPropertyName("available_bytes")]
    public long? AvailableBytes { get; init; }
}
