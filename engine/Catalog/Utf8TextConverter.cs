using System.Text.Json;
using System.Text.Json.Serialization;

namespace KeepFs.Engine.Catalog;

/// <summary>A JSON string as UTF-8 bytes, without the detour over UTF-16.</summary>
internal sealed class Utf8TextConverter : JsonConverter<ReadOnlyMemory<byte>?>
{
    public override ReadOnlyMemory<byte>? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.Null)
        {
            return null;
        }

        var length = reader.HasValueSequence ? checked((int)reader.ValueSequence.Length) : reader.ValueSpan.Length;
        var bytes = new byte[length];
        return bytes.AsMemory(0, reader.CopyString(bytes));
    }

    public override void Write(Utf8JsonWriter writer, ReadOnlyMemory<byte>? value, JsonSerializerOptions options)
    {
        if (value is { } text)
        {
            writer.WriteStringValue(text.Span);
        }
        else
        {
            writer.WriteNullValue();
        }
    }
}
