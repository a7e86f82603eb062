using System.Text.Json;
using System.Text.Json.Serialization;

namespace KeepFs.Engine.Catalog;

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Collection))]
[JsonSerializable(typeof(CollectionChange))]
[JsonSerializable(typeof(Group))]
[JsonSerializable(typeof(GroupChange))]
[JsonSerializable(typeof(User))]
[JsonSerializable(typeof(Page<ProjectItem>))]
[JsonSerializable(typeof(Page<User>))]
[JsonSerializable(typeof(Page<Collection>))]
[JsonSerializable(typeof(Page<TagLink>))]
[JsonSerializable(typeof(SharedPage))]
[JsonSerializable(typeof(TokenChange))]
[JsonSerializable(typeof(JsonDocument))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(Dictionary<string, JsonElement>))]
internal sealed partial class CatalogJson : JsonSerializerContext;

/// <summary>One page of a list.</summary>
internal sealed record Page<T>
{
    [JsonPropertyName("items")]
    public IReadOnlyList<T> Items { get; init; } = [];
}

/// <summary>One page of <c>groups/shared</c>.</summary>
internal sealed record SharedPage
{
    [JsonPropertyName("items")]
    public IReadOnlyList<ProjectItem> Items { get; init; } = [];

    [JsonPropertyName("included")]
    public IReadOnlyList<ProjectOwner> Included { get; init; } = [];
}

/// <summary>What is asked of a tag link.</summary>
internal sealed record TagLink
{
    [JsonPropertyName("name")]
    public string? Name { get; init; }

    [JsonPropertyName("head_uuid")]
    public string? HeadUuid { get; init; }
}

internal sealed record GroupChange
{
    [JsonPropertyName("group")]
    public required GroupWrite Group { get; init; }
}

internal sealed record GroupWrite
{
    [JsonPropertyName("name")]
    public string? Name { get; init; }

    [JsonPropertyName("owner_uuid")]
    public string? OwnerUuid { get; init; }

    [JsonPropertyName("group_class")]
    public string? GroupClass { get; init; }
}

internal sealed record TokenChange
{
    [JsonPropertyName("api_client_authorization")]
    public required TokenWrite Token { get; init; }
}

internal sealed record TokenWrite
{
    [JsonPropertyName("scopes")]
    public required IReadOnlyList<string> Scopes { get; init; }

    [JsonPropertyName("expires_at")]
    public DateTime ExpiresAt { get; init; }
}
