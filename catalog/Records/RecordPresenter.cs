using KeepFs.Catalog.Permissions;
using KeepFs.Catalog.Requests;
using KeepFs.Catalog.Storage;
using KeepFs.Engine.Manifests;

namespace KeepFs.Catalog.Records;

/// <summary>Adds to a row what is computed for each caller: rights, kinds, signed manifests (catalog-api.md 4.6). Runs outside transactions.</summary>
internal sealed class RecordPresenter(CatalogContext catalog)
{
    /// <summary>Completes the row in place and returns it.</summary>
    public Row Present(Row row, Projection projection, Caller? caller)
    {
        var type = row.Type;
        if (type == RecordTypes.Collections && projection.ShowsManifest)
        {
            PresentManifest(row, projection, caller);
        }
        else if (row.Has(Projection.Level))
        {
            PresentRights(row, caller);
        }
        else if (type == RecordTypes.Links)
        {
            row["head_kind"] = row.Has("head_uuid") ? Uuids.KindOfUuid(row.Text("head_uuid")) : null;
            row["tail_kind"] = row.Has("tail_uuid") ? Uuids.KindOfUuid(row.Text("tail_uuid")) : null;
        }
        else if (type == RecordTypes.Tokens)
        {
            row["api_token"] = row.Has("api_token") ? row["api_token"] : null;
            row["last_used_at"] = null;
            row["last_used_by_ip_address"] = null;
            row["modified_at"] = null;
            row["modified_by_user_uuid"] = null;
        }

        return row;
    }

    /// <summary>The portable data hash and manifest of a collection asked for by its hash.</summary>
    public Row PresentByHash(Row row, Caller caller)
    {
        var shown = Present(row, Projection.Default(RecordTypes.Collections), caller);
        shown["uuid"] = shown["portable_data_hash"];
        return shown;
    }

    private void PresentManifest(Row row, Projection projection, Caller? caller)
    {
        var stored = row.Bytes("manifest_text");
        row["unsigned_manifest_text"] = stored;
        if (projection.Shown.Any(column => column.Name == "manifest_text") && caller is not null && row.Has("trash_at"))
        {
            row["manifest_text"] = Sign(stored, row, caller);
        }
    }

    private byte[] Sign(byte[] manifest, Row row, Caller caller)
    {
        var now = catalog.Time.GetUtcNow();
        var expiry = now + catalog.Config.Collections.BlobSigningTTL;
        foreach (var trashAt in new[] { row.Time("trash_at"), row.Has(Projection.OwnerTrashAt) ? row.Time(Projection.OwnerTrashAt) : null })
        {
            expiry = trashAt < expiry ? trashAt.Value : expiry;
        }

        return catalog.Config.Collections.BlobSigning && catalog.Signer.HasKey && expiry > now && manifest.Length > 0
            ? ManifestSigner.Sign(manifest, catalog.Signer, caller.Token, expiry)
            : manifest;
    }

    private static void PresentRights(Row row, Caller? caller)
    {
        var level = (AccessLevel)(row.Integer(Projection.Level) ?? 0);
        var isRole = row.Type == RecordTypes.Groups && row.Text("group_class") == "role";
        var canWrite = level >= (isRole ? AccessLevel.Manage : AccessLevel.Write) && !(row.Type == RecordTypes.Groups && row.Text("frozen_by_uuid") is not null);
        row["can_write"] = canWrite ? 1L : 0L;
        row["can_manage"] = level >= AccessLevel.Manage ? 1L : 0L;
        var writers = new List<string> { row.Text("owner_uuid")! };
        if (canWrite && caller is not null && !writers.Contains(caller.UserUuid))
        {
            writers.Add(caller.UserUuid);
        }

        row["writable_by"] = System.Text.Json.JsonSerializer.Serialize(writers, WireJson.Default.ListString);
        if (row.Type == RecordTypes.Users)
        {
            row["is_invited"] = row.Flag("is_active") ? 1L : 0L;
            if (row.Has("prefs") && caller is not null && !caller.IsAdmin && caller.UserUuid != row.Uuid)
            {
                row["prefs"] = null;
            }
        }
    }
}
