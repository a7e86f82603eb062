using KeepFs.Catalog.Permissions;
using KeepFs.Catalog.Records;

namespace KeepFs.Catalog.Storage;

/// <summary>Which attributes an answer shows, and what must be read for it. Immutable.</summary>
internal sealed class Projection
{
    /// <summary>Extra column: the caller's <see cref="AccessLevel"/> on the row.</summary>
    public const string Level = "caller_level";

    /// <summary>Extra column: the trash time of the project around the row.</summary>
    public const string OwnerTrashAt = "owner_trash_at";

    private Projection(RecordType type, IReadOnlyList<Column> shown, bool isSelected) => (Type, Shown, IsSelected) = (type, shown, isSelected);

    public RecordType Type { get; }

    public IReadOnlyList<Column> Shown { get; }

    /// <summary>The client named the attributes.</summary>
    public bool IsSelected { get; }

    public bool ShowsManifest => Shown.Any(column => column.Kind == ColumnKind.Manifest);

    /// <summary>Everything that is shown by default.</summary>
    public static Projection Default(RecordType type, bool inList = false) => new(type, [.. type.Shown(inList)], isSelected: false);

    /// <param name="type">The record type.</param>
    /// <param name="select">Names; null or empty means the default. A qualified name counts for its own type only.</param>
    /// <param name="inList">Lists leave large attributes out by default.</param>
    /// <param name="ignoreUnknown">Unknown names belong to other types of a mixed list.</param>
    public static Projection Of(RecordType type, IReadOnlyList<string>? select, bool inList, bool ignoreUnknown = false)
    {
        if (select is null or [])
        {
            return Default(type, inList);
        }

        var shown = new List<Column>();
        foreach (var given in select)
        {
            var name = given.StartsWith(type.Table + ".", StringComparison.Ordinal) ? given[(type.Table.Length + 1)..] : given;
            if (type.Find(name) is { IsHidden: false } column)
            {
                shown.Add(column);
            }
            else if (!ignoreUnknown && name is not ("kind" or "etag" or "href"))
            {
                throw ApiException.Invalid($"select: attribute '{given}' is not known for {type.Table}");
            }
        }

        return new Projection(type, [.. shown.Distinct()], isSelected: true);
    }

    /// <summary>Appends the list of columns to read from <c>t</c>.</summary>
    public void AppendColumns(SqlText sql, Caller caller)
    {
        sql.Append("t.revision");
        foreach (var column in Type.StoredColumns.Where(column => !column.IsHidden && (column.Kind != ColumnKind.Manifest || ShowsManifest)))
        {
            sql.Append(", t.").Append(column.Name);
        }

        if (Type.Find("can_write") is not null)
        {
            sql.Append(", ");
            Access.AppendLevel(sql, caller);
            sql.Append(" AS " + Level);
        }

        if (Type.HasTrash)
        {
            sql.Append($", (SELECT d.trash_at FROM trashed_groups d WHERE d.group_uuid = t.owner_uuid) AS {OwnerTrashAt}");
        }
    }

    /// <summary>Appends only what is shown, for lists of distinct rows.</summary>
    public void AppendShownColumns(SqlText sql) =>
        sql.Append(string.Join(", ", Shown.Where(column => !column.IsDerived).Select(column => "t." + column.Name).DefaultIfEmpty("t.uuid")));
}
