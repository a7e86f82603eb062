using System.Data.Common;

namespace KeepFs.Catalog;

/// <summary>Reads how people name a PostgreSQL database, for <c>PostgreSQL.Connection</c> of the configuration.</summary>
public static class DatabaseText
{
    /// <summary>Keys of libpq and of Npgsql, to those of the configuration; others stay as they are.</summary>
    private static readonly Dictionary<string, string> Names = new(StringComparer.OrdinalIgnoreCase)
    {
        ["server"] = "host",
        ["database"] = "dbname",
        ["db"] = "dbname",
        ["username"] = "user",
        ["user id"] = "user",
        ["user name"] = "user",
        ["uid"] = "user",
        ["pwd"] = "password",
        ["ssl mode"] = "sslmode",
    };

    /// <summary>
    /// Understands <c>Host=...;Database=...;Username=...</c>, libpq's <c>host=... dbname=... user=...</c> and <c>postgresql://user@host:port/dbname</c>.
    /// </summary>
    /// <exception cref="FormatException">It is none of these; the message does not repeat it, because it may hold a password.</exception>
    public static IReadOnlyDictionary<string, string> Parse(string text)
    {
        var settings = text.StartsWith("postgresql://", StringComparison.Ordinal) || text.StartsWith("postgres://", StringComparison.Ordinal) ? OfUri(text) : OfPairs(text);
        if (!settings.ContainsKey("host") || !settings.ContainsKey("dbname"))
        {
            throw Wrong();
        }

        return settings;
    }

    private static Dictionary<string, string> OfPairs(string text)
    {
        try
        {
            var isLibpq = !text.Contains(';', StringComparison.Ordinal) && text.AsSpan().Count('=') > 1;
            var pairs = new DbConnectionStringBuilder { ConnectionString = isLibpq ? string.Join(';', text.Split(' ', StringSplitOptions.RemoveEmptyEntries)) : text };
            return pairs.Keys.Cast<string>().ToDictionary(key => Names.GetValueOrDefault(key, key), key => (string)pairs[key], StringComparer.Ordinal);
        }
        catch (ArgumentException)
        {
            throw Wrong();
        }
    }

    private static Dictionary<string, string> OfUri(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri))
        {
            throw Wrong();
        }

        var user = uri.UserInfo.Split(':', 2);
        var settings = new Dictionary<string, string>(StringComparer.Ordinal) { ["host"] = uri.Host, ["dbname"] = Uri.UnescapeDataString(uri.AbsolutePath.Trim('/')) };
        Add("port", uri.Port > 0 ? uri.Port.ToString(System.Globalization.CultureInfo.InvariantCulture) : "");
        Add("user", user[0]);
        Add("password", user.Length > 1 ? user[1] : "");
        foreach (var pair in uri.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries).Select(pair => pair.Split('=', 2)))
        {
            Add(pair[0], pair[^1]);
        }

        return settings.Where(pair => pair.Value.Length > 0).ToDictionary(StringComparer.Ordinal);

        void Add(string key, string value) => settings[key] = Uri.UnescapeDataString(value);
    }

    private static FormatException Wrong() => new("it must name at least a host and a database, such as \"Host=/var/run/postgresql;Database=keepfs;Username=keepfs\"");
}
