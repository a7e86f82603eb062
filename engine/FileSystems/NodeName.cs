using System.Text;
using KeepFs.Engine.Manifests;

namespace KeepFs.Engine.FileSystems;

/// <summary>What a name in a directory may be.</summary>
public static class NodeName
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Throws when nothing can be created under that name.</summary>
    /// <exception cref="FsException"><see cref="FsError.InvalidArgument"/> or <see cref="FsError.NameTooLong"/>.</exception>
    public static void Check(string name)
    {
        if (name is "" or "." or ".." || name.Contains('/', StringComparison.Ordinal) || name.Contains('\0', StringComparison.Ordinal))
        {
            throw new FsException(FsError.InvalidArgument, $"\"{name}\" cannot be the name of a file or directory.");
        }

        int bytes;
        try
        {
            bytes = Strict.GetByteCount(name);
        }
        catch (EncoderFallbackException e)
        {
            throw new FsException(FsError.InvalidArgument, "A name must be valid Unicode text: collections hold UTF-8.", e);
        }

        if (bytes > ManifestPath.MaxNameBytes)
        {
            throw new FsException(FsError.NameTooLong, $"The name \"{name[..40]}...\" has {bytes} bytes; the most is {ManifestPath.MaxNameBytes}.");
        }
    }

    /// <summary>
    /// A record's name as a file name (mount.md section 2): null when it cannot be shown, "/" as the cluster says or "_", and nothing that a
    /// path would take for something else.
    /// </summary>
    public static string? FromRecord(string? name, string slashSubstitution) => name switch
    {
        null or "" => null,
        "." => "_",
        ".." => "__",
        _ => name.Replace("/", slashSubstitution is "" or "/" ? "_" : slashSubstitution, StringComparison.Ordinal).Replace('\0', '_'),
    };

    /// <summary>
    /// The records' names as file names, each once: a name that is literally so wins over one that only became so (mount.md section 2);
    /// among others the first does.
    /// </summary>
    internal static IEnumerable<(string Name, T Item)> Distinct<T>(IEnumerable<T> items, Func<T, string?> nameOf, string slashSubstitution)
    {
        var changed = new List<(string Name, T Item)>();
        var taken = new HashSet<string>(StringComparer.Ordinal);
        foreach (var item in items)
        {
            if (FromRecord(nameOf(item), slashSubstitution) is not { } name)
            {
                continue;
            }

            if (name != nameOf(item))
            {
                changed.Add((name, item));
            }
            else if (taken.Add(name))
            {
                yield return (name, item);
            }
        }

        foreach (var entry in changed.Where(entry => taken.Add(entry.Name)))
        {
            yield return entry;
        }
    }

    /// <summary>What a record may be called that is looked up by a file name: the name itself first, then with the slashes back.</summary>
    internal static IEnumerable<string> RecordNamesOf(string name, string slashSubstitution)
    {
        yield return name;
        if (slashSubstitution is not ("" or "/") && name.Contains(slashSubstitution, StringComparison.Ordinal))
        {
            yield return name.Replace(slashSubstitution, "/", StringComparison.Ordinal);
        }
    }

    /// <summary>The name under which a change is kept when somebody else changed the same path first (mount.md section 6).</summary>
    public static string ForConflict(string name, DateTimeOffset now)
    {
        var suffix = $"~{now.UtcDateTime:yyyyMMdd-HHmmss}~conflict~";
        while (Encoding.UTF8.GetByteCount(name) + suffix.Length > ManifestPath.MaxNameBytes)
        {
            name = name[..^(char.IsLowSurrogate(name[^1]) ? 2 : 1)];
        }

        return name + suffix;
    }
}
