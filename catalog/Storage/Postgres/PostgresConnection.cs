using KeepFs.Hosting.Configuration;
using Npgsql;

namespace KeepFs.Catalog.Storage.Postgres;

/// <summary>Turns <c>PostgreSQL.Connection</c> of the configuration, whose keys are libpq's as in Arvados, into a connection.</summary>
internal static class PostgresConnection
{
    private static readonly Dictionary<string, string> Names = new(StringComparer.OrdinalIgnoreCase)
    {
        ["dbname"] = "Database",
        ["user"] = "Username",
        ["hostaddr"] = "Host",
        ["sslmode"] = "SSL Mode",
        ["sslrootcert"] = "Root Certificate",
        ["sslcert"] = "SSL Certificate",
        ["sslkey"] = "SSL Key",
        ["passfile"] = "Passfile",
        ["connect_timeout"] = "Timeout",
        ["application_name"] = "Application Name",
    };

    /// <summary>The only encoding there is.</summary>
    private const string ClientEncoding = "client_encoding";

    /// <exception cref="ConfigException">A key or a value is not known.</exception>
    public static NpgsqlConnectionStringBuilder Of(PostgreSqlConfig config, string clusterId)
    {
        var (builder, faults) = (new NpgsqlConnectionStringBuilder(), new List<string>());
        foreach (var (key, value) in config.Connection)
        {
            if (value.Length == 0 || key.Equals(ClientEncoding, StringComparison.OrdinalIgnoreCase))
            {
                continue;
            }

            try
            {
                builder[Names.GetValueOrDefault(key, key)] = value;
            }
            catch (Exception e) when (e is ArgumentException or FormatException or InvalidCastException or OverflowException)
            {
                // The exception's text may hold the value, and the value may be a password.
                faults.Add($"Clusters.{clusterId}.PostgreSQL.Connection.{key}: this key is not known, or its value is wrong");
            }
        }

        if (string.IsNullOrEmpty(builder.Host) || string.IsNullOrEmpty(builder.Database))
        {
            faults.Add($"Clusters.{clusterId}.PostgreSQL.Connection: host and dbname must be set");
        }

        return faults.Count == 0 ? builder : throw new ConfigException("catalogue", faults);
    }

    /// <summary>For messages: no password.</summary>
    public static string Describe(NpgsqlConnectionStringBuilder connection) => $"PostgreSQL database {connection.Database} at {connection.Host}:{connection.Port}";
}
