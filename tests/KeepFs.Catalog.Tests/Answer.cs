using System.Text.Json.Nodes;

namespace KeepFs.Catalog.Tests;

/// <summary>An answer with its body as text and as JSON.</summary>
internal sealed record Answer(int Status, string Text, IReadOnlyDictionary<string, string> Headers)
{
    public JsonObject Json => JsonNode.Parse(Text)!.AsObject();

    public JsonArray Items => Json["items"]!.AsArray();

    public string Error => Json["errors"]![0]!.GetValue<string>();

    public string Text_(string name) => Json[name]!.GetValue<string>();

    public IEnumerable<string> ItemTexts(string name) => Items.Select(item => item![name]!.GetValue<string>());
}
