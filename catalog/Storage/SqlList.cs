using System.Text.Json.Nodes;

namespace KeepFs.Catalog.Storage;

/// <summary>Many values as one parameter, however many they are: databases limit the number of parameters. Immutable.</summary>
internal sealed class SqlList
{
    private string? _json;

    private SqlList(Array values) => Values = values;

    /// <summary>The values as <c>string[]</c> or <c>long[]</c>.</summary>
    public Array Values { get; }

    /// <summary>The values as a JSON array.</summary>
    public string Json => _json ??= new JsonArray([.. Values.Cast<object>().Select(value => (JsonNode)(value is long number ? JsonValue.Create(number) : JsonValue.Create((string)value)))]).ToJsonString();

    public static SqlList Of(IEnumerable<string> values)
    {
        var texts = values.ToArray();
        return texts.Any(text => text.Contains('\0')) ? throw ApiException.Invalid("text must not contain the character NUL") : new SqlList(texts);
    }

    public static SqlList Of(IEnumerable<long> values) => new(values.ToArray());
}
