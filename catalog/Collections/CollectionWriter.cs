using KeepFs.Catalog.Dav;
using KeepFs.Catalog.Logs;
using KeepFs.Catalog.Permissions;
using KeepFs.Catalog.Quotas;
using KeepFs.Catalog.Records;
using KeepFs.Catalog.References;
using KeepFs.Catalog.Requests;
using KeepFs.Catalog.Storage;
using KeepFs.Engine.Manifests;

namespace KeepFs.Catalog.Collections;

/// <summary>
/// Creates and changes collections (catalog-api.md 4 to 6). Manifests are checked, stripped and edited outside the write lock; the
/// transaction then makes sure that they were made from what the collection still holds. Safe for concurrent use.
/// </summary>
internal sealed partial class CollectionWriter(CatalogContext catalog)
{
    // A save that loses this many races against other saves does its work inside the transaction, where nobody can overtake it.
    private const int MaxOptimisticAttempts = 3;

    /// <summary>Creates a collection; returns its UUID.</summary>
    public async Task<string> CreateAsync(Caller caller, AttributeSet attributes, CollectionOptions options, CancellationToken ct)
    {
        Ownership.RequireActive(caller);
        if (attributes.Has("version"))
        {
            attributes.Remove("version");
        }

        attributes.Remove("current_version_uuid");
        var given = attributes.Decode(RecordTypes.Collections);
        if (given.GetValueOrDefault("uuid") is string locator && PortableDataHash.IsPortableDataHash(locator))
        {
            given["portable_data_hash"] = locator;
            given.Remove("uuid");
        }

        var plan = await PlanAsync(caller, given, options, ct);
        var content = plan.Build(ReadOnlyMemory<byte>.Empty);
        RequireHash(given, content);
        var blocks = BlockDelta.Between([], content.Stored);
        return await catalog.Database.WriteAsync(session => Insert(session, caller, given, content, blocks, options), ct);
    }

    /// <summary>Changes a collection; the change is on stable storage when this completes.</summary>
    /// <returns>See <see cref="DavPuts.Existing"/>.</returns>
    public async Task<string?> UpdateAsync(Caller caller, string uuid, AttributeSet attributes, CollectionOptions options, CancellationToken ct)
    {
        Ownership.RequireActive(caller);
        var given = attributes.Decode(RecordTypes.Collections);
        var plan = await PlanAsync(caller, given, options, ct);
        for (var attempt = 1; ; attempt++)
        {
            var prepared = default(PreparedContent);
            if (plan.ChangesContent && attempt <= MaxOptimisticAttempts)
            {
                var row = await catalog.Database.ReadAsync(session => FindWritable(session, caller, uuid, options.IncludeTrash, withManifest: true), ct);
                RequireUnchanged(row, options);
                prepared = Prepare(plan, given, row);
            }

            var isSaved = await catalog.Database.WriteAsync(session => TryUpdate(session, caller, uuid, given, plan, prepared, attempt, options), ct);
            if (isSaved)
            {
                return plan.ExistingPuts;
            }
        }
    }

    private bool TryUpdate(
        WriteSession session, Caller caller, string uuid, Dictionary<string, object?> given, ContentPlan plan, PreparedContent? prepared, int attempt, CollectionOptions options)
    {
        var isLast = attempt > MaxOptimisticAttempts;
        var row = FindWritable(session, caller, uuid, options.IncludeTrash, withManifest: plan.ChangesContent && isLast);
        RequireUnchanged(row, options);
        if (plan.ChangesContent && prepared?.MadeFrom != row.Text("portable_data_hash"))
        {
            if (!isLast)
            {
                return false;
            }

            prepared = Prepare(plan, given, row);
        }

        DavPuts.RequireNames(session, options.Dav);
        var follow = DavFollow.Begin(session, caller, uuid, DavPuts.Resolve(options.Dav, prepared?.ExistingPuts));
        Replace(session, caller, uuid, options.Dav);
        Apply(session, caller, row, given, prepared, options.EnsureUniqueName);
        follow.Content(plan.Replace, prepared?.Content.Stored);
        follow.Copies();
        return true;
    }

    private static PreparedContent Prepare(ContentPlan plan, Dictionary<string, object?> given, Row row)
    {
        var current = row.Bytes("manifest_text");
        var content = plan.Build(current);
        RequireHash(given, content);
        var isChanged = !content.Stored.AsSpan().SequenceEqual(current);
        return new PreparedContent(
            content,
            plan.ExistingPuts,
            MadeFrom: row.Text("portable_data_hash")!,
            isChanged,
            isChanged ? BlockDelta.Between(current, content.Stored) : new BlockDelta([], []));
    }

    private static void RequireUnchanged(Row row, CollectionOptions options)
    {
        var now = row.Text("portable_data_hash")!;
        if (options.IfPortableDataHash is { } expected && !PortableDataHash.Matches(expected, now))
        {
            throw ApiException.ContentChanged(now);
        }
    }

    private static void RequireHash(Dictionary<string, object?> given, CollectionContent content)
    {
        if (given.GetValueOrDefault("portable_data_hash") is string hash && !PortableDataHash.Matches(hash, content.PortableDataHash))
        {
            throw ApiException.Invalid($"portable_data_hash {hash} does not match the manifest, whose hash is {content.PortableDataHash}");
        }
    }

    private static Row FindWritable(CatalogSession session, Caller caller, string uuid, bool includeTrash, bool withManifest)
    {
        var projection = Projection.Default(RecordTypes.Collections, inList: !withManifest);
        var row = RecordStore.FindVisible(session, projection, uuid, caller, includeTrash) ?? throw ApiException.NotFound();
        if (row.Text("current_version_uuid") != row.Uuid)
        {
            throw ApiException.Invalid("past versions of collections cannot be changed");
        }

        Ownership.RequireLevel(session, caller, row, AccessLevel.Write);
        return row;
    }

    private string Insert(WriteSession session, Caller caller, Dictionary<string, object?> given, CollectionContent content, BlockDelta blocks, CollectionOptions options)
    {
        var uuid = NewUuid(session, caller, given);
        var owner = (string?)given.GetValueOrDefault("owner_uuid") ?? caller.UserUuid;
        Ownership.RequireWritableOwner(session, caller, owner);
        RequireMayConfirm(caller, given);
        Replace(session, caller, uuid, options.Dav);
        var row = new Row(RecordTypes.Collections)
        {
            ["uuid"] = uuid,
            ["owner_uuid"] = owner,
            ["created_at"] = session.NowText,
            ["modified_at"] = session.NowText,
            ["modified_by_user_uuid"] = caller.UserUuid,
            ["version"] = 1L,
            ["current_version_uuid"] = uuid,
            ["preserve_version"] = given.GetValueOrDefault("preserve_version") ?? 0L,
            ["description"] = given.GetValueOrDefault("description"),
            ["properties"] = given.GetValueOrDefault("properties") ?? "{}",
            ["replication_desired"] = given.GetValueOrDefault("replication_desired"),
            ["replication_confirmed"] = given.GetValueOrDefault("replication_confirmed"),
            ["replication_confirmed_at"] = given.GetValueOrDefault("replication_confirmed_at"),
            ["storage_classes_desired"] = given.GetValueOrDefault("storage_classes_desired") is string classes and not "[]" ? classes : catalog.DefaultStorageClassesJson,
            ["storage_classes_confirmed"] = given.GetValueOrDefault("storage_classes_confirmed") ?? "[]",
            ["storage_classes_confirmed_at"] = given.GetValueOrDefault("storage_classes_confirmed_at"),
        };
        SetContent(row, content);
        var trash = TrashState.None.With(given, session.Now, catalog.Config.Collections);
        var values = new Dictionary<string, object?>(StringComparer.Ordinal);
        trash.CopyTo(values);
        foreach (var (name, value) in values)
        {
            row[name] = value;
        }

        var wanted = (string?)given.GetValueOrDefault("name");
        UniqueNames.RequireValid(wanted, catalog.Config.Collections.ForwardSlashNameSubstitution);
        row["name"] = trash.IsTrashed ? wanted : UniqueNames.Resolve(session, RecordTypes.Collections, uuid, owner, wanted, options.EnsureUniqueName);
        row["properties"] = ManagedProperties.Fill(session, catalog.Config.Collections.ManagedProperties, row.Text("properties")!, owner);
        BlockReferences.Created(session, RecordStore.InsertNumbered(session, row), blocks);
        OwnerUsage.Changed(session, before: null, row);
        QuotaCheck.Require(session, catalog, caller, before: null, row);
        AuditLog.Append(session, catalog.Uuids, caller, before: null, row);
        DavFollow.Begin(session, caller, uuid, options.Dav).Copies();
        return uuid;
    }

    private string NewUuid(WriteSession session, Caller caller, Dictionary<string, object?> given)
    {
        if (given.GetValueOrDefault("uuid") is not string uuid)
        {
            return catalog.Uuids.Create(RecordTypes.Collections);
        }

        if (!caller.IsAdmin || Uuids.Infix(uuid) != RecordTypes.Collections.Infix || RecordStore.Exists(session, RecordTypes.Collections, uuid))
        {
            throw ApiException.Invalid($"uuid {uuid} cannot be used for a new collection");
        }

        return uuid;
    }

    private static void SetContent(Row row, CollectionContent content)
    {
        row["manifest_text"] = content.Stored;
        row["portable_data_hash"] = content.PortableDataHash;
        row["file_count"] = content.FileCount;
        row["file_size_total"] = content.TotalBytes;
        row["file_names"] = content.FileNames;
    }

    /// <summary>New content, and what it was made from: it may be saved only while the collection still holds that.</summary>
    private sealed record PreparedContent(CollectionContent Content, string? ExistingPuts, string MadeFrom, bool IsChanged, BlockDelta Blocks);
}
