using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Mounts;

namespace KeepFs.KeepstoreHost;

/// <summary>
/// The bodies of <c>PUT /trash</c> and <c>PUT /pull</c> (keepstore-http.md 9.1 and 10). <c>null</c> counts as an empty list, as the
/// original's clients send it; items without a usable locator are skipped.
/// </summary>
internal static class WorkLists
{
    /// <summary>keep-balance sends at most 100,000 by default; ten times that still takes little memory.</summary>
    public const int MaxItems = 1_000_000;

    /// <exception cref="JsonException">Not such a list.</exception>
    /// <exception cref="WorkListTooLongException">Too many items.</exception>
    public static List<TrashItem> ParseTrash(ReadOnlySpan<byte> json)
    {
        var texts = new SharedTexts();
        return Parse<TrashEntry, TrashItem>(json, WorkListJson.Default.TrashEntry, (entry, items) =>
        {
            if (Locator.TryParse(entry.Locator, out var locator))
            {
                items.Add(new TrashItem(locator.Hash, entry.BlockMtime, texts.Share(entry.MountUuid)));
            }
        });
    }

    /// <summary>Null when the first locator has no size: such a list comes from a client that is too old.</summary>
    /// <exception cref="JsonException">Not such a list.</exception>
    /// <exception cref="WorkListTooLongException">Too many items.</exception>
    public static List<PullItem>? ParsePull(ReadOnlySpan<byte> json)
    {
        var texts = new SharedTexts();
        var (isFirst, isSized) = (true, true);
        var list = Parse<PullEntry, PullItem>(json, WorkListJson.Default.PullEntry, (entry, items) =>
        {
            isSized &= !isFirst || entry.Locator?.Length != BlockHash.TextLength;
            isFirst = false;
            if (Locator.TryParse(entry.Locator, out var locator))
            {
                var servers = (entry.Servers ?? []).OfType<string>().Select(texts.Share).ToArray();
                items.Add(new PullItem(new Locator(locator.Hash, locator.SizeBytes), servers, texts.Share(entry.MountUuid)));
            }
        });
        return isSized ? list : null;
    }

    private static List<TItem> Parse<TEntry, TItem>(ReadOnlySpan<byte> json, JsonTypeInfo<TEntry> type, Action<TEntry, List<TItem>> add)
        where TEntry : class, new()
    {
        var items = new List<TItem>();
        var reader = new Utf8JsonReader(json);
        reader.Read();
        if (reader.TokenType == JsonTokenType.StartArray)
        {
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                // One at a time: the texts of a long list never exist together. A null entry is an empty one.
                add(JsonSerializer.Deserialize(ref reader, type) ?? new TEntry(), items);
                if (items.Count > MaxItems)
                {
                    throw new WorkListTooLongException($"a list may have {MaxItems} items at most");
                }
            }
        }
        else if (reader.TokenType != JsonTokenType.Null)
        {
            throw new JsonException("A list was expected.");
        }

        // Throws on anything but white space.
        reader.Read();
        return items;
    }

    /// <summary>Thousands of items name a few mounts and servers: each text is kept once.</summary>
    private sealed class SharedTexts
    {
        private readonly HashSet<string> _texts = new(StringComparer.Ordinal);

        public string Share(string? text)
        {
            text ??= "";
            if (_texts.TryGetValue(text, out var known))
            {
                return known;
            }

            _texts.Add(text);
            return text;
        }
    }
}

internal sealed class WorkListTooLongException(string message) : Exception(message);

internal sealed record TrashEntry
{
    public string? Locator { get; init; }

    public long BlockMtime { get; init; }

    public string? MountUuid { get; init; }
}

internal sealed record PullEntry
{
    public string? Locator { get; init; }

    public string?[]? Servers { get; init; }

    public string? MountUuid { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, PropertyNameCaseInsensitive = true)]
[JsonSerializable(typeof(TrashEntry))]
[JsonSerializable(typeof(PullEntry))]
internal sealed partial class WorkListJson : JsonSerializerContext;
