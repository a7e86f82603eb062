using System.Text.Json;
using System.Text.Json.Serialization;

namespace KeepFs.Catalog.Checkpoints;

/// <summary>One stretch of lines of an export, compressed with Brotli and cut into blocks.</summary>
/// <param name="IsFull">It holds every collection; otherwise those that changed since the part before.</param>
/// <param name="Records">Lines without the first and the last.</param>
/// <param name="Bytes">Length before compression.</param>
/// <param name="Sha256">Of the lines, in hex.</param>
/// <param name="Blocks">Locators without signatures, in order.</param>
internal sealed record CheckpointPart(bool IsFull, long Records, long Bytes, string Sha256, IReadOnlyList<string> Blocks);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(CheckpointHead))]
[JsonSerializable(typeof(CheckpointState))]
[JsonSerializable(typeof(CheckpointMark))]
internal sealed partial class CheckpointJson : JsonSerializerContext
{
    /// <summary>What is not in our form is null.</summary>
    public static T? TryParse<T>(ReadOnlySpan<byte> utf8, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(utf8, type);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
