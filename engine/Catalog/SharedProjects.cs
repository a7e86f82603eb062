using System.Text.Json.Serialization;

namespace KeepFs.Engine.Catalog;

/// <summary>Projects that others share with the user, and those of their owners whose records may be read.</summary>
public sealed record SharedProjects(IReadOnlyList<ProjectItem> Projects, IReadOnlyList<ProjectOwner> Owners);

/// <summary>Who owns a project: a group or a user.</summary>
public sealed record ProjectOwner
{
    [JsonPropertyName("uuid")]
    public string Uuid { get; init; } = "";

    [JsonPropertyName("name")]
    public string? Name { get; init; }

    [JsonPropertyName("first_name")]
    public string? FirstName { get; init; }

    [JsonPropertyName("last_name")]
    public string? LastName { get; init; }

    [JsonPropertyName("can_write")]
    public bool? CanWrite { get; init; }

    /// <summary>The group's name, or the first and last name of the user.</summary>
    [JsonIgnore]
    public string? DisplayName => Name ?? (FirstName is null && LastName is null ? null : $"{FirstName} {LastName}".Trim());
}
