using System.Text.Json;
using KeepFs.Engine.Catalog;
using KeepFs.Engine.Manifests;
using KeepFs.WebDav.Sessions;

namespace KeepFs.WebDav.Downloads.Zip;

/// <summary><c>collection.json</c> of an archive (keep-web.md 5).</summary>
internal static class ZipMetadata
{
    private static readonly string[] Fields = ["uuid", "name", "description", "portable_data_hash", "properties", "created_at", "modified_at"];

    public static async Task<byte[]> OfAsync(Session session, OpenCollection collection, CancellationToken cancellationToken)
    {
        using var bytes = new MemoryStream();
        await using (var json = new Utf8JsonWriter(bytes, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            if (PortableDataHash.IsPortableDataHash(collection.Id))
            {
                json.WriteString("portable_data_hash", collection.Id);
            }
            else if (await session.Catalog.FindRecordAsync(collection.Id, cancellationToken) is { } record)
            {
                using (record)
                {
                    await WriteAsync(json, record.RootElement, session, cancellationToken);
                }
            }

            json.WriteEndObject();
        }

        return bytes.ToArray();
    }

    private static async Task WriteAsync(Utf8JsonWriter json, JsonElement record, Session session, CancellationToken cancellationToken)
    {
        foreach (var field in Fields)
        {
            if (record.TryGetProperty(field, out var value))
            {
                json.WritePropertyName(field);
                value.WriteTo(json);
            }
        }

        if (record.TryGetProperty("modified_by_user_uuid", out var uuid) && uuid.GetString() is { Length: > 0 } by && await UserAsync(session, by, cancellationToken) is { } user)
        {
            json.WriteStartObject("modified_by_user");
            json.WriteString("uuid", user.Uuid);
            json.WriteString("full_name", user.FullName);
            json.WriteString("username", user.Username);
            json.WriteString("email", user.Email);
            json.WriteEndObject();
        }
    }

    /// <summary>Null when this token may not read it.</summary>
    private static async Task<User?> UserAsync(Session session, string uuid, CancellationToken cancellationToken)
    {
        try
        {
            return await session.Catalog.FindUserAsync(uuid, cancellationToken);
        }
        catch (CatalogException e) when (e.Kind is CatalogErrorKind.Forbidden or CatalogErrorKind.Unauthorized)
        {
            return null;
        }
    }
}
