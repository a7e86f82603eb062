namespace KeepFs.Cli.Settings;

/// <summary>
/// Where the cluster is and who we are: <c>ARVADOS_*</c> variables, which override <c>settings.conf</c> (client-cli.md section 1.1).
/// </summary>
internal sealed record ArvadosSettings(Uri ApiRoot, string Token, bool IsInsecure, IReadOnlyList<Uri> KeepServices)
{
    /// <summary>Reads the environment and the first <c>settings.conf</c> on the search path.</summary>
    /// <exception cref="CommandException">Host or token are missing or malformed.</exception>
    public static ArvadosSettings Load() => From(Read());

    /// <summary>The settings that the given variables describe.</summary>
    public static ArvadosSettings From(IReadOnlyDictionary<string, string> values)
    {
        var host = Required(values, "ARVADOS_API_HOST");
        var token = Required(values, "ARVADOS_API_TOKEN");
        if (!Uri.TryCreate($"https://{host}/", UriKind.Absolute, out var root) || root.AbsolutePath != "/")
        {
            throw new CommandException($"ARVADOS_API_HOST is \"{host}\"; it must be HOST or HOST:PORT.");
        }

        var services = values.GetValueOrDefault("ARVADOS_KEEP_SERVICES") ?? values.GetValueOrDefault("ARVADOS_KEEP_PROXY") ?? "";
        return new ArvadosSettings(root, token, IsTrue(values.GetValueOrDefault("ARVADOS_API_HOST_INSECURE")), [.. services.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(ParseService)]);
    }

    /// <summary>The lines of a <c>settings.conf</c>: KEY=value, blank lines and <c>#</c> comments ignored.</summary>
    public static Dictionary<string, string> Parse(IEnumerable<string> lines)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in lines.Select(line => line.Trim()).Where(line => line.Length > 0 && line[0] != '#'))
        {
            var equals = line.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0)
            {
                values[line[..equals].TrimEnd()] = line[(equals + 1)..].TrimStart();
            }
        }

        return values;
    }

    /// <summary>The lines of <c>DATA/env</c>: <c>export KEY='value'</c>.</summary>
    public static Dictionary<string, string> ParseEnv(IEnumerable<string> lines) =>
        Parse(lines.Select(line => line.Replace("export ", "", StringComparison.Ordinal))).ToDictionary(pair => pair.Key, pair => pair.Value.Trim('\''));

    private static Dictionary<string, string> Read()
    {
        var file = SearchPath().Select(folder => Path.Combine(folder, "settings.conf")).FirstOrDefault(File.Exists);
        var values = file is null ? new Dictionary<string, string>(StringComparer.Ordinal) : Parse(File.ReadLines(file));
        foreach (var name in (string[])["ARVADOS_API_HOST", "ARVADOS_API_TOKEN", "ARVADOS_API_HOST_INSECURE", "ARVADOS_KEEP_SERVICES", "ARVADOS_KEEP_PROXY"])
        {
            if (Environment.GetEnvironmentVariable(name) is { Length: > 0 } value)
            {
                values[name] = value;
            }
        }

        return values;
    }

    private static IEnumerable<string> SearchPath()
    {
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        return
        [
            .. Folders("CONFIGURATION_DIRECTORY").Where(Path.IsPathRooted),
            Path.Combine(Environment.GetEnvironmentVariable("XDG_CONFIG_HOME") is { Length: > 0 } config ? config : Path.Combine(home, ".config"), "arvados"),
            .. Folders("XDG_CONFIG_DIRS").DefaultIfEmpty("/etc/xdg").Select(folder => Path.Combine(folder, "arvados")),
        ];

        static string[] Folders(string variable) => (Environment.GetEnvironmentVariable(variable) ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries);
    }

    private static string Required(IReadOnlyDictionary<string, string> values, string name) =>
        values.GetValueOrDefault(name) is { Length: > 0 } value
            ? value
            : throw new CommandException($"{name} is not set. `keepfs up` writes it to DATA/env: run `. DATA/env`, or set it in the environment or in ~/.config/arvados/settings.conf.");

    private static bool IsTrue(string? value) => value?.ToUpperInvariant() is "1" or "T" or "TRUE" or "Y" or "YES";

    private static Uri ParseService(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url) ? url : throw new CommandException($"ARVADOS_KEEP_SERVICES holds \"{text}\", which is not a URL.");
}
