using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace KeepFs.Catalog.Requests;

/// <summary>
/// Parses JSON from outside whose strings are all text. System.Text.Json notices ill-formed UTF-8 and lone surrogates only when a string is taken out, far from
/// where it can be said whose fault it is.
/// </summary>
internal static class TextJson
{
    /// <param name="utf8">Kept by the document.</param>
    /// <exception cref="JsonException">It is no JSON.</exception>
    /// <exception cref="ApiException">422: a string in it is no text.</exception>
    public static JsonDocument Parse(ReadOnlyMemory<byte> utf8)
    {
        if (!Utf8.IsValid(utf8.Span))
        {
            throw NoText();
        }

        var document = JsonDocument.Parse(utf8);
        RequireSurrogatePairs(utf8.Span);
        return document;
    }

    /// <inheritdoc cref="Parse(ReadOnlyMemory{byte})"/>
    public static JsonDocument Parse(string text) => Parse(Encoding.UTF8.GetBytes(text));

    private static void RequireSurrogatePairs(ReadOnlySpan<byte> json)
    {
        if (json.IndexOf("\\ud"u8) < 0 && json.IndexOf("\\uD"u8) < 0)
        {
            // Surrogates stand in escapes only, and hardly ever.
            return;
        }

        try
        {
            var reader = new Utf8JsonReader(json);
            while (reader.Read())
            {
                if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && reader.ValueIsEscaped)
                {
                    reader.GetString();
                }
            }
        }
        catch (InvalidOperationException)
        {
            throw NoText();
        }
    }

    private static ApiException NoText() => ApiException.Invalid("text must use UTF-8 encoding, without lone surrogates");
}
