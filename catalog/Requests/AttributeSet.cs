using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using KeepFs.Catalog.Records;

namespace KeepFs.Catalog.Requests;

/// <summary>Attributes that a client wants to set, converted to stored form on demand. Ignored and unknown names: catalog-api.md 1.3.</summary>
internal sealed class AttributeSet
{
    private static readonly HashSet<string> Ignored = new(StringComparer.Ordinal)
    {
        "kind", "etag", "href", "created_at", "modified_at", "modified_by_user_uuid", "modified_by_client_uuid", "self_link", "id",
    };

    // Stored JSON must compare equal when it means the same: one encoder for all.
    private static readonly JsonWriterOptions Canonical = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Dictionary<string, JsonElement> _values = new(StringComparer.Ordinal);

    public AttributeSet(IEnumerable<KeyValuePair<string, JsonElement>> values)
    {
        foreach (var (name, value) in values)
        {
            if (!Ignored.Contains(name))
            {
                _values[name] = value;
            }
        }
    }

    public IEnumerable<string> Names => _values.Keys;

    public bool Has(string name) => _values.ContainsKey(name);

    public void Remove(string name) => _values.Remove(name);

    /// <summary>Forgets an attribute that says nothing new, such as the UUID of the path.</summary>
    public void RemoveSame(string name, string value)
    {
        if (_values.TryGetValue(name, out var given) && given.ValueKind == JsonValueKind.String && given.ValueEquals(value))
        {
            _values.Remove(name);
        }
    }

    /// <summary>The attributes in stored form. Unknown names are 422; derived ones are ignored.</summary>
    public Dictionary<string, object?> Decode(RecordType type)
    {
        var decoded = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (var (name, value) in _values)
        {
            var column = type.Find(name);
            if (column is null or { IsHidden: true })
            {
                throw ApiException.Invalid($"unknown attribute '{name}' for {type.Schema}.");
            }

            if (column.IsWritable)
            {
                decoded[name] = Decode(column, value);
            }
        }

        return decoded;
    }

    /// <summary>
    /// Canonical text of a JSON value: of several properties of one name the last, no NUL in text, and only numbers that a double can hold. So both databases
    /// can read it, and read the same. 422 for what cannot be had so.
    /// </summary>
    public static string CanonicalJson(JsonElement value)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, Canonical))
        {
            Write(writer, value);
        }

        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    /// <summary>One value in stored form; 422 when it is of another type.</summary>
    public static object? Decode(Column column, JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        try
        {
            return column.Kind switch
            {
                ColumnKind.Manifest => ManifestBytes(value),
                ColumnKind.Integer => Integer(column, value),
                ColumnKind.Boolean => Boolean(column, value),
                ColumnKind.Time => Time(column, value),
                ColumnKind.Object => Json(column, value, JsonValueKind.Object),
                ColumnKind.Array => StringArray(column, value),
                _ => Text(column, value),
            };
        }
        catch (InvalidOperationException)
        {
            // System.Text.Json meets ill-formed UTF-8 or a lone surrogate only when the text is taken out.
            throw ApiException.Invalid($"{column.Name} must use UTF-8 encoding");
        }
    }

    private static void Write(Utf8JsonWriter writer, JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                var properties = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
                foreach (var property in value.EnumerateObject())
                {
                    properties[property.Name] = property.Value;
                }

                writer.WriteStartObject();
                foreach (var (name, item) in properties)
                {
                    RequireNoNul(name);
                    writer.WritePropertyName(name);
                    Write(writer, item);
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var item in value.EnumerateArray())
                {
                    Write(writer, item);
                }

                writer.WriteEndArray();
                break;
            case JsonValueKind.String when JsonMarshal.GetRawUtf8Value(value).IndexOf("\\u0000"u8) >= 0:
                RequireNoNul(value.GetString()!);
                value.WriteTo(writer);
                break;
            case JsonValueKind.Number when !IsDouble(value):
                throw ApiException.Invalid($"the number {value.GetRawText()} is too large or too small");
            default:
                value.WriteTo(writer);
                break;
        }
    }

    private static void RequireNoNul(string text)
    {
        if (text.Contains('\0'))
        {
            throw ApiException.Invalid("text must not contain the character NUL");
        }
    }

    // One that is not zero must not become zero either.
    private static bool IsDouble(JsonElement value) =>
        value.TryGetDouble(out var number) && double.IsFinite(number)
        && (number != 0 || value.GetRawText().TakeWhile(c => c is not ('e' or 'E')).All(c => c is '-' or '.' or '0'));

    private static string? Text(Column column, JsonElement value)
    {
        var text = value.ValueKind switch
        {
            JsonValueKind.String => value.GetString()!,
            JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
            _ => throw ApiException.Invalid($"{column.Name} must be a string"),
        };
        return column.MaxLength > 0 && text.Length > column.MaxLength
            ? throw ApiException.Invalid($"{column.Name} is too long (maximum is {column.MaxLength} characters)")
            : text.Length == 0 ? null : text;
    }

    private static object? Integer(Column column, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number when value.TryGetInt64(out var number) => number,
        JsonValueKind.String when value.GetString() is "" => null,
        JsonValueKind.String when long.TryParse(value.GetString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) => number,
        _ => throw ApiException.Invalid($"{column.Name} must be an integer"),
    };

    private static long Boolean(Column column, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.True => 1L,
        JsonValueKind.False => 0L,
        JsonValueKind.String when value.GetString() is "true" or "1" or "t" => 1L,
        JsonValueKind.String when value.GetString() is "false" or "0" or "f" or "" => 0L,
        JsonValueKind.Number when value.TryGetInt64(out var number) => number == 0 ? 0L : 1L,
        _ => throw ApiException.Invalid($"{column.Name} must be true or false"),
    };

    private static string? Time(Column column, JsonElement value)
    {
        var text = value.ValueKind == JsonValueKind.String ? value.GetString()! : throw ApiException.Invalid($"{column.Name} must be a time");
        return text.Length == 0 ? null : Timestamp.FromClient(text) ?? throw ApiException.Invalid($"{column.Name}: '{text}' is not a time");
    }

    private static string Json(Column column, JsonElement value, JsonValueKind kind)
    {
        if (value.ValueKind == JsonValueKind.String)
        {
            try
            {
                using var document = TextJson.Parse(value.GetString()!);
                return Json(column, document.RootElement.Clone(), kind);
            }
            catch (JsonException)
            {
                throw ApiException.Invalid($"{column.Name} is not valid JSON");
            }
        }

        return value.ValueKind == kind
            ? CanonicalJson(value)
            : throw ApiException.Invalid($"{column.Name} must be {(kind == JsonValueKind.Object ? "an object" : "an array")}");
    }

    private static string StringArray(Column column, JsonElement value)
    {
        var text = Json(column, value, JsonValueKind.Array);
        using var document = JsonDocument.Parse(text);
        return document.RootElement.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String && item.GetString() is { Length: > 0 })
            ? text
            : throw ApiException.Invalid($"{column.Name} must be an array of non-empty strings");
    }

    // Straight from the body's UTF-8 to UTF-8: a manifest of 100 MiB must not become a UTF-16 string on the way.
    private static byte[] ManifestBytes(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.String)
        {
            throw ApiException.Invalid("manifest_text must be a string");
        }

        var raw = JsonMarshal.GetRawUtf8Value(value);
        var reader = new Utf8JsonReader(raw);
        reader.Read();
        var bytes = new byte[raw.Length];
        var length = reader.CopyString(bytes);
        return bytes.AsSpan(0, length).ToArray();
    }
}
