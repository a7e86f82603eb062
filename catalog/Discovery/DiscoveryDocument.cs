using System.Buffers;
using System.Text.Json;
using KeepFs.Catalog.Records;
using KeepFs.Hosting.Configuration;

namespace KeepFs.Catalog.Discovery;

/// <summary>
/// The discovery document (catalog-api.md 13): clients build their whole API from it, so everything that is served stands here
/// (python-clients.md 2 says which fields they cannot do without). Its bytes depend on configuration and address only.
/// </summary>
internal static class DiscoveryDocument
{
    // The day on which the described interface last changed.
    private const string Revision = "20261121";

    private static readonly string[] Scopes = ["https://api.arvados.org/auth/arvados", "https://api.arvados.org/auth/arvados.readonly"];

    public static byte[] Build(ClusterConfig config, string rootUrl)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, RecordJson.WriterOptions))
        {
            writer.WriteStartObject();
            WriteHead(writer, config, rootUrl);
            WriteCommon(writer);
            writer.WriteStartObject("schemas");
            foreach (var type in RecordTypes.All)
            {
                WriteSchemas(writer, type);
            }

            writer.WriteEndObject();
            writer.WriteStartObject("resources");
            foreach (var type in RecordTypes.All)
            {
                WriteResource(writer, type.Table, ApiMethods.Of(type));
            }

            WriteResource(writer, "configs", [new ApiMethod("get", "GET", "config", null, null)]);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteHead(Utf8JsonWriter writer, ClusterConfig config, string rootUrl)
    {
        writer.WriteString("kind", "discovery#restDescription");
        writer.WriteString("discoveryVersion", "v1");
        writer.WriteString("id", "arvados:v1");
        writer.WriteString("name", "arvados");
        writer.WriteString("version", "v1");
        writer.WriteString("revision", Revision);
        writer.WriteString("generatedAt", $"{Revision[..4]}-{Revision[4..6]}-{Revision[6..]}T00:00:00Z");
        writer.WriteString("title", "KeepFs catalogue");
        writer.WriteString("description", "The catalogue of a KeepFs cluster.");
        writer.WriteString("documentationLink", "http://doc.arvados.org/api/index.html");
        writer.WriteString("protocol", "rest");
        writer.WriteString("rootUrl", rootUrl);
        writer.WriteString("baseUrl", rootUrl + "arvados/v1/");
        writer.WriteString("basePath", "/arvados/v1/");
        writer.WriteString("servicePath", "arvados/v1/");
        writer.WriteString("batchPath", "batch");
        writer.WriteString("uuidPrefix", config.ClusterId);
        writer.WriteNumber("defaultCollectionReplication", config.Collections.DefaultReplication);
        writer.WriteNumber("blobSignatureTtl", (long)config.Collections.BlobSigningTTL.TotalSeconds);
        writer.WriteNumber("defaultTrashLifetime", (long)config.Collections.DefaultTrashLifetime.TotalSeconds);
        writer.WriteNumber("maxRequestSize", config.API.MaxRequestSize);
        writer.WriteNumber("maxItemsPerResponse", config.API.MaxItemsPerResponse);
        writer.WriteStartObject("remoteHosts");
        writer.WriteEndObject();
        writer.WriteBoolean("remoteHostsViaDNS", false);
        writer.WriteString("websocketUrl", config.Services.Websocket.ExternalURL);
        writer.WriteString("workbench2Url", "");
        writer.WriteString("keepWebServiceUrl", config.Services.WebDAV.ExternalURL);
    }

    private static void WriteCommon(Utf8JsonWriter writer)
    {
        writer.WriteStartObject("parameters");
        WriteParameter(writer, new ApiParameter("alt", "string", "Data format for the response.", Default: "json"));
        WriteParameter(writer, new ApiParameter("fields", "string", "Selector specifying which fields to include in a partial response."));
        WriteParameter(writer, new ApiParameter("key", "string", "API key; not used."));
        WriteParameter(writer, new ApiParameter("oauth_token", "string", "OAuth 2.0 token for the current user."));
        writer.WriteEndObject();
        writer.WriteStartObject("auth");
        writer.WriteStartObject("oauth2");
        writer.WriteStartObject("scopes");
        foreach (var scope in Scopes)
        {
            writer.WriteStartObject(scope);
            writer.WriteString("description", "View" + (scope.EndsWith("readonly", StringComparison.Ordinal) ? " objects" : " and manage objects"));
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static void WriteSchemas(Utf8JsonWriter writer, RecordType type)
    {
        writer.WriteStartObject(type.Schema);
        WriteSchemaHead(writer, type.Schema);
        writer.WriteString("uuidPrefix", type.Infix);
        writer.WriteStartObject("properties");
        WriteProperty(writer, "kind", "string");
        WriteProperty(writer, "etag", "string");
        foreach (var column in type.Columns.Where(column => !column.IsHidden))
        {
            WriteProperty(writer, column.Name, column.Kind switch
            {
                ColumnKind.Integer => "integer",
                ColumnKind.Boolean => "boolean",
                ColumnKind.Time => "datetime",
                ColumnKind.Object => "Hash",
                ColumnKind.Array => "Array",
                ColumnKind.Manifest => "text",
                _ => "string",
            });
        }

        writer.WriteEndObject();
        writer.WriteEndObject();

        writer.WriteStartObject(type.Schema + "List");
        WriteSchemaHead(writer, type.Schema + "List");
        writer.WriteStartObject("properties");
        WriteProperty(writer, "kind", "string");
        WriteProperty(writer, "etag", "string");
        writer.WriteStartObject("items");
        writer.WriteString("type", "array");
        writer.WriteStartObject("items");
        writer.WriteString("$ref", type.Schema);
        writer.WriteEndObject();
        writer.WriteEndObject();
        WriteProperty(writer, "self_link", "string");
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static void WriteSchemaHead(Utf8JsonWriter writer, string id)
    {
        writer.WriteString("id", id);
        writer.WriteString("description", id);
        writer.WriteString("type", "object");
    }

    private static void WriteProperty(Utf8JsonWriter writer, string name, string type)
    {
        writer.WriteStartObject(name);
        writer.WriteString("type", type);
        writer.WriteEndObject();
    }

    private static void WriteResource(Utf8JsonWriter writer, string name, IEnumerable<ApiMethod> methods)
    {
        writer.WriteStartObject(name);
        writer.WriteStartObject("methods");
        foreach (var method in methods)
        {
            WriteMethod(writer, name, method);
        }

        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static void WriteMethod(Utf8JsonWriter writer, string resource, ApiMethod method)
    {
        writer.WriteStartObject(method.Name);
        writer.WriteString("id", $"arvados.{resource}.{method.Name}");
        writer.WriteString("path", method.Path);
        writer.WriteString("httpMethod", method.HttpMethod);
        writer.WriteString("description", $"{method.HttpMethod} {method.Path}");
        writer.WriteStartObject("parameters");
        foreach (var parameter in method.Parameters)
        {
            WriteParameter(writer, parameter);
        }

        writer.WriteEndObject();
        if (method.Request is not null)
        {
            writer.WriteStartObject("request");
            writer.WriteBoolean("required", true);
            writer.WriteStartObject("properties");
            writer.WriteStartObject(method.Request);
            writer.WriteString("$ref", method.Response);
            writer.WriteEndObject();
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        writer.WriteStartObject("response");
        if (method.Response is not null)
        {
            writer.WriteString("$ref", method.Response);
        }

        writer.WriteEndObject();
        writer.WriteStartArray("scopes");
        foreach (var scope in method.HttpMethod == "GET" ? Scopes : Scopes[..1])
        {
            writer.WriteStringValue(scope);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void WriteParameter(Utf8JsonWriter writer, ApiParameter parameter)
    {
        writer.WriteStartObject(parameter.Name);
        writer.WriteString("type", parameter.Type);
        writer.WriteString("description", parameter.Description);
        writer.WriteBoolean("required", parameter.Location == "path");
        writer.WriteString("location", parameter.Location);
        if (parameter.Default is not null)
        {
            writer.WriteString("default", parameter.Default);
        }

        writer.WriteEndObject();
    }
}
