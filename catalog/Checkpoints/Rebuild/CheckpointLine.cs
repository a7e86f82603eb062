using System.Text.Json;

namespace KeepFs.Catalog.Checkpoints.Rebuild;

/// <summary>What a rebuild looks at in a line.</summary>
/// <param name="Kind">Of record.</param>
/// <param name="Uuid">Of the record, if it has one.</param>
/// <param name="Family">For a collection, the UUID of its current version.</param>
/// <param name="Manifest">For a collection.</param>
internal readonly record struct CheckpointLine(string Kind, string? Uuid, string? Family, byte[]? Manifest)
{
    /// <exception cref="JsonException">It is not a JSON object with a kind.</exception>
    public static CheckpointLine Parse(ReadOnlySpan<byte> line)
    {
        var reader = new Utf8JsonReader(line);
        var (kind, uuid, family, manifest) = default((string?, string?, string?, byte[]?));
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var (isKind, isUuid, isFamily, isManifest) =
                (reader.ValueTextEquals("kind"u8), reader.ValueTextEquals("uuid"u8), reader.ValueTextEquals("current_version_uuid"u8), reader.ValueTextEquals("manifest_text"u8));
            reader.Read();
            if (reader.TokenType != JsonTokenType.String)
            {
                reader.Skip();
                continue;
            }

            if (isManifest)
            {
                manifest = new byte[reader.ValueSpan.Length];
                Array.Resize(ref manifest, reader.CopyString(manifest));
            }
            else if (isKind || isUuid || isFamily)
            {
                var text = reader.GetString();
                (kind, uuid, family) = (isKind ? text : kind, isUuid ? text : uuid, isFamily ? text : family);
            }
        }

        return new CheckpointLine(kind ?? throw new JsonException("A line has no kind."), uuid, family, manifest);
    }
}
