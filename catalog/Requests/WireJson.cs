using System.Text.Json.Serialization;

namespace KeepFs.Catalog.Requests;

[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(string[]))]
[JsonSerializable(typeof(List<string>))]
internal sealed partial class WireJson : JsonSerializerContext;
