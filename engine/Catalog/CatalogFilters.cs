using System.Text.Json;
using System.Text.RegularExpressions;

namespace KeepFs.Engine.Catalog;

/// <summary>
/// List filters that a user gave (<c>--filters</c>, mount.md section 1): attributes may be qualified with a type (<c>collections.properties.X</c>),
/// unqualified ones apply to every type. The syntax is checked as the API does (catalog-api.md 3.3); whether the attributes exist, only the
/// catalogue knows. Immutable.
/// </summary>
public sealed partial class CatalogFilters
{
    private static readonly string[] Types = ["collections", "groups", "users", "links", "container_requests", "workflows"];

    private readonly (string? Type, string Condition)[] _conditions;

    private CatalogFilters((string? Type, string Condition)[] conditions) => _conditions = conditions;

    /// <summary>No condition.</summary>
    public static CatalogFilters None { get; } = new([]);

    /// <summary>There is no condition.</summary>
    public bool IsEmpty => _conditions.Length == 0;

    /// <summary>Reads the JSON text of a list of conditions.</summary>
    /// <exception cref="FormatException">It is not one; the message names the faulty condition.</exception>
    public static CatalogFilters Parse(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return document.RootElement.ValueKind == JsonValueKind.Array
                ? new CatalogFilters([.. document.RootElement.EnumerateArray().Select(Read)])
                : throw new FormatException($"filters must be a JSON array of conditions such as [[\"name\",\"like\",\"a%\"]], not {json}.");
        }
        catch (JsonException e)
        {
            throw new FormatException($"filters are not valid JSON: {e.Message}", e);
        }
    }

    /// <summary>The conditions that concern one type, as JSON texts without the type's name, each with a comma before it.</summary>
    internal string For(string type) => string.Concat(_conditions.Where(c => c.Type is null || c.Type == type).Select(c => "," + c.Condition));

    private static (string? Type, string Condition) Read(JsonElement condition)
    {
        if (condition.ValueKind == JsonValueKind.String)
        {
            var match = Comparison().Match(condition.GetString()!);
            if (!match.Success)
            {
                throw new FormatException($"filter {condition.GetRawText()} must be \"(attribute OPERATOR attribute)\" with one of = < <= > >=.");
            }

            var (left, right) = (Split(match.Groups[1].Value), Split(match.Groups[3].Value));
            return (left.Type ?? right.Type, JsonSerializer.Serialize($"({left.Name} {match.Groups[2].Value} {right.Name})", CatalogJson.Default.String));
        }

        if (condition.ValueKind != JsonValueKind.Array || condition.GetArrayLength() != 3 || condition[1].ValueKind != JsonValueKind.String)
        {
            throw new FormatException($"filter {condition.GetRawText()} must have three elements: attribute, operator, operand.");
        }

        var names = condition[0].ValueKind switch
        {
            JsonValueKind.String => [condition[0].GetString()!],
            JsonValueKind.Array when condition[0].EnumerateArray().All(name => name.ValueKind == JsonValueKind.String) =>
                condition[0].EnumerateArray().Select(name => name.GetString()!).ToArray(),
            _ => throw new FormatException($"filter {condition.GetRawText()}: the attribute must be a name or a list of names."),
        };
        var split = names.Select(Split).ToArray();
        var types = split.Select(name => name.Type).Distinct().ToArray();
        if (types.Length != 1)
        {
            throw new FormatException($"filter {condition.GetRawText()}: its attributes must belong to the same type.");
        }

        var attributes = string.Join(',', split.Select(name => JsonSerializer.Serialize(name.Name, CatalogJson.Default.String)));
        return (types[0], $"[{(split.Length == 1 ? attributes : $"[{attributes}]")},{condition[1].GetRawText()},{condition[2].GetRawText()}]");
    }

    private static (string? Type, string Name) Split(string attribute)
    {
        var dot = attribute.IndexOf('.', StringComparison.Ordinal);
        return dot > 0 && Types.Contains(attribute[..dot]) ? (attribute[..dot], attribute[(dot + 1)..]) : (null, attribute);
    }

    [GeneratedRegex(@"\A\(\s*([a-z_.]+) +(=|<|<=|>|>=) +([a-z_.]+)\s*\)\z", RegexOptions.CultureInvariant)]
    private static partial Regex Comparison();
}
