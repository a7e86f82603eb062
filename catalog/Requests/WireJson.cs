using System.Text.Json;
using System.Text.Json.Serialization;

namespace KeepFs.Catalog.Requests;

[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(string[]))]
[JsonSerializable(typeof(List<string>))]
[JsonSerializable(typeof(IReadOnlyDictionary<string, JsonElement>))]
internal sealed partial class WireJson : JsonSerializerContext;
