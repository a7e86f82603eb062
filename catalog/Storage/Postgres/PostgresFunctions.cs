using System.Text;

namespace KeepFs.Catalog.Storage.Postgres;

/// <summary>Functions that make conditions mean in PostgreSQL what they mean in SQLite. They are made with the first version of the schema.</summary>
internal static class PostgresFunctions
{
    public static string Version1()
    {
        var (upper, lower) = CasePairs();
        return $"""
            CREATE FUNCTION keepfs_casefold(given text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
            BEGIN
                -- Plain ASCII, as nearly everything, needs no table.
                IF octet_length(given) = char_length(given) THEN
                    RETURN lower(given COLLATE "C");
                END IF;
                RETURN lower(translate(given, '{upper}', '{lower}') COLLATE "C");
            END $$;

            CREATE FUNCTION keepfs_json_same(a json, b json) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
                SELECT CASE WHEN json_typeof(a) IN ('array', 'object') OR json_typeof(b) IN ('array', 'object') THEN a::text = b::text ELSE a::jsonb = b::jsonb END
            $$;

            CREATE FUNCTION keepfs_json_text(a json) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
                SELECT CASE json_typeof(a) WHEN 'boolean' THEN CASE a::text WHEN 'true' THEN '1' ELSE '0' END ELSE a #>> '{"{}"}' END
            $$;
            """;
    }

    /// <summary>Every character beyond ASCII that <see cref="string.ToLowerInvariant"/> changes, and what it makes of it.</summary>
    private static (string Upper, string Lower) CasePairs()
    {
        var (upper, lower) = (new StringBuilder(), new StringBuilder());
        for (var code = 0x80; code <= 0x10FFFF; code++)
        {
            if (Rune.TryCreate(code, out var rune) && rune.ToString() is var text && text.ToLowerInvariant() is var folded && folded != text)
            {
                upper.Append(text);
                lower.Append(folded);
            }
        }

        return (upper.ToString(), lower.ToString());
    }
}
