using System.Globalization;
using System.Text.Json;

namespace KeepFs.Catalog.Requests;

/// <summary>
/// The merged parameters of a request, decoded on access by the rules of catalog-api.md 1.3. A JSON text inside a string is accepted
/// wherever an array or an object is expected. Wrong types are answered with 422.
/// </summary>
internal sealed class RequestParameters(IReadOnlyDictionary<string, JsonElement> values, bool hasJsonBody)
{
    /// <summary>Names that are options wherever they stand; everything else at the top of a JSON body may be an attribute.</summary>
    private static readonly HashSet<string> Options = new(StringComparer.Ordinal)
    {
        "_method", "alt", "api_token", "reader_tokens", "filters", "where", "order", "limit", "offset", "select", "distinct", "count", "include",
        "ensure_unique_name", "include_trash", "include_old_versions", "recursive", "exclude_home_project", "bypass_federation", "cluster_id",
        "replace_files", "replace_segments", "if_portable_data_hash", "keepfs_dav", "async", "remote", "forwarded_for",
        "format", "fields", "key", "prettyPrint", "quotaUser", "userIp", "oauth_token",
    };

    public bool Has(string name) => values.TryGetValue(name, out var value) && value.ValueKind is not JsonValueKind.Null;

    public string? Text(string name) => Value(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } text => text.GetString() is { Length: > 0 } given ? given : null,
        { ValueKind: JsonValueKind.Number } number => number.GetRawText(),
        _ => throw ApiException.Invalid($"{name}: must be a string"),
    };

    /// <summary>Booleans: "", "false", "0" and null are false, anything else is true.</summary>
    public bool Flag(string name) => Value(name) switch
    {
        null => false,
        { ValueKind: JsonValueKind.False } => false,
        { ValueKind: JsonValueKind.String } text => text.GetString() is not ("" or "false" or "0" or "null"),
        { ValueKind: JsonValueKind.Number } number => number.GetRawText() != "0",
        _ => true,
    };

    public long? Integer(string name) => Value(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } number when number.TryGetInt64(out var value) => value,
        { ValueKind: JsonValueKind.String } text when text.GetString() is "" => null,
        { ValueKind: JsonValueKind.String } text when long.TryParse(text.GetString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) => value,
        _ => throw ApiException.Invalid($"{name}: must be an integer"),
    };

    /// <summary>A JSON value, also when it was sent as JSON text in a string; null when absent, "" or null.</summary>
    public JsonElement? Json(string name)
    {
        if (Value(name) is not { } value)
        {
            return null;
        }

        if (value.ValueKind != JsonValueKind.String)
        {
            return value;
        }

        var text = value.GetString()!.Trim();
        return text switch
        {
            "" or "null" => null,
            ['[', ..] or ['{', ..] or ['"', ..] => ParseJson(name, text),
            _ => value,
        };
    }

    /// <summary>A list of names: a JSON array or comma-separated text; null when absent.</summary>
    public IReadOnlyList<string>? Names(string name)
    {
        switch (Json(name))
        {
            case null:
                return null;
            case { ValueKind: JsonValueKind.String } text:
                return text.GetString()!.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            case { ValueKind: JsonValueKind.Array } array:
                return [.. array.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.String
                    ? item.GetString()!
                    : throw ApiException.Invalid($"{name}: must be an array of strings"))];
            default:
                throw ApiException.Invalid($"{name}: must be an array");
        }
    }

    /// <summary>The attributes of a write: the wrapped object, else the whole JSON body without the options.</summary>
    public AttributeSet Attributes(string wrapper)
    {
        if (values.TryGetValue(wrapper, out _) && Json(wrapper) is { } wrapped)
        {
            return wrapped.ValueKind == JsonValueKind.Object
                ? new AttributeSet(wrapped.EnumerateObject().Select(property => KeyValuePair.Create(property.Name, property.Value)))
                : throw ApiException.Invalid($"{wrapper}: must be an object");
        }

        return hasJsonBody && !values.ContainsKey(wrapper)
            ? new AttributeSet(values.Where(pair => !Options.Contains(pair.Key)))
            : new AttributeSet([]);
    }

    /// <summary>The attributes of several records: an array of objects.</summary>
    public IReadOnlyList<AttributeSet> AttributesOfEach(string name, int most)
    {
        if (Json(name) is not { ValueKind: JsonValueKind.Array } array || array.GetArrayLength() > most)
        {
            throw ApiException.Invalid($"{name}: must be an array of at most {most} objects");
        }

        return [.. array.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.Object
            ? new AttributeSet(item.EnumerateObject().Select(property => KeyValuePair.Create(property.Name, property.Value)))
            : throw ApiException.Invalid($"{name}: must be an array of objects"))];
    }

    /// <summary>All of them as one object, for requests that are no record of the API.</summary>
    public JsonElement Whole() => JsonSerializer.SerializeToElement(values, WireJson.Default.IReadOnlyDictionaryStringJsonElement);

    private JsonElement? Value(string name) =>
        values.TryGetValue(name, out var value) && value.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined) ? value : null;

    private static JsonElement ParseJson(string name, string text)
    {
        try
        {
            using var document = TextJson.Parse(text);
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            throw ApiException.BadRequest($"{name}: is not valid JSON");
        }
    }
}
