namespace KeepFs.Catalog.Storage;

/// <summary>A user or project with all projects inside, as SQL.</summary>
internal static class OwnerTree
{
    /// <summary>A SELECT of one column <c>uuid</c>: the place itself and every group inside, however deep.</summary>
    /// <param name="dialect">Of the database.</param>
    /// <param name="place">Name of the parameter with the place's UUID.</param>
    public static string Inside(SqlDialect dialect, string place) =>
        $"WITH RECURSIVE inside(uuid) AS (SELECT {dialect.TextOf(place)} UNION SELECT g.uuid FROM inside i JOIN groups g ON g.owner_uuid = i.uuid) SELECT uuid FROM inside";
}
