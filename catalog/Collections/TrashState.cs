using KeepFs.Catalog.Records;
using KeepFs.Hosting.Configuration;

namespace KeepFs.Catalog.Collections;

/// <summary>The trash state of a collection or group and how it changes (catalog-api.md 6). Immutable.</summary>
internal sealed record TrashState(DateTimeOffset? TrashAt, DateTimeOffset? DeleteAt, bool IsTrashed)
{
    public static TrashState None { get; } = new(null, null, false);

    public static TrashState Of(Row row) => new(row.Time("trash_at"), row.Time("delete_at"), row.Flag("is_trashed"));

    /// <summary>Trashed or not at a moment, whatever the stored flag says.</summary>
    public bool IsTrashedAt(DateTimeOffset now) => TrashAt <= now;

    /// <summary>Applies the attributes that a client gave, by rules 1 to 6.</summary>
    public TrashState With(IReadOnlyDictionary<string, object?> given, DateTimeOffset now, CollectionsConfig config)
    {
        var trash = given.TryGetValue("trash_at", out var t) ? Time(t) : TrashAt;
        var delete = given.TryGetValue("delete_at", out var d) ? Time(d) : DeleteAt;
        var changesTrash = trash != TrashAt;
        var changesDelete = delete != DeleteAt;
        if (changesTrash && trash < now)
        {
            trash = now;
        }

        if (!changesTrash && given.TryGetValue("is_trashed", out var flag) && (flag is 1L) != IsTrashed)
        {
            trash = flag is 1L ? now : null;
            changesTrash = true;
            if (trash is null)
            {
                delete = null;
                changesDelete = true;
            }
        }

        if (changesTrash && !changesDelete)
        {
            delete = trash + config.DefaultTrashLifetime;
        }
        else if (changesDelete && delete is not null)
        {
            var earliest = Min(Min(now, TrashAt) + config.BlobSigningTTL, DeleteAt);
            delete = delete < earliest ? earliest : delete;
        }

        if (trash is null != delete is null)
        {
            throw ApiException.Invalid("delete_at must be set if trash_at is set, and must be nil otherwise");
        }

        return delete < trash
            ? throw ApiException.Invalid("delete_at must not be earlier than trash_at")
            : new TrashState(trash, delete, trash <= now);
    }

    /// <summary>The call <c>trash</c>.</summary>
    public TrashState Trash(DateTimeOffset now, CollectionsConfig config) =>
        IsTrashedAt(now) ? this with { IsTrashed = true } : new TrashState(now, now + config.DefaultTrashLifetime, true);

    /// <summary>DELETE: as <c>trash</c>, but gone as soon as no signature can be valid any more.</summary>
    public TrashState Delete(DateTimeOffset now, CollectionsConfig config)
    {
        var trashed = Trash(now, config);
        return trashed with { DeleteAt = Min(trashed.DeleteAt!.Value, trashed.TrashAt + config.BlobSigningTTL) };
    }

    /// <summary>The call <c>untrash</c>.</summary>
    public TrashState Untrash(DateTimeOffset now)
    {
        if (!IsTrashedAt(now) || DeleteAt <= now)
        {
            throw ApiException.Invalid("Object is not trashed, or its delete_at has passed: cannot untrash");
        }

        return None;
    }

    public void CopyTo(IDictionary<string, object?> values)
    {
        values["trash_at"] = TrashAt is { } trash ? Timestamp.Format(trash) : null;
        values["delete_at"] = DeleteAt is { } delete ? Timestamp.Format(delete) : null;
        values["is_trashed"] = IsTrashed ? 1L : 0L;
    }

    private static DateTimeOffset? Time(object? value) => value is string text ? Timestamp.Parse(text) : null;

    private static DateTimeOffset Min(DateTimeOffset a, DateTimeOffset? b) => b < a ? b.Value : a;
}
