using System.Text.Encodings.Web;
using System.Text.Json;

namespace KeepFs.Cli.Diff;

/// <summary>One line for each difference: letters as git has them, or JSON objects.</summary>
internal sealed class DiffOutput(TextWriter output, bool asJson)
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public void Write(Change change) => output.WriteLine(asJson ? Json(change) : Text(change));

    private static string Text(Change change)
    {
        var path = Shown(change.Path, change.After ?? change.Before!);
        return change.Kind switch
        {
            ChangeKind.Added => $"A {path}",
            ChangeKind.Removed => $"D {path}",
            ChangeKind.Changed => $"M {path}",
            _ => $"R {Shown(change.Before!.Path, change.Before)} -> {path}",
        };
    }

    private static string Json(Change change)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, Options))
        {
            writer.WriteStartObject();
            writer.WriteString("change", change.Kind.ToString().ToLowerInvariant());
            writer.WriteString("path", Name(change.Path, change.After ?? change.Before!));
            if (change.Kind == ChangeKind.Renamed)
            {
                writer.WriteString("from", Name(change.Before!.Path, change.Before));
            }

            WriteSize(writer, "size_before", change.Before);
            WriteSize(writer, "size_after", change.After);
            writer.WriteEndObject();
        }

        return System.Text.Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    private static void WriteSize(Utf8JsonWriter writer, string name, DiffEntry? entry)
    {
        if (entry is { IsDirectory: false })
        {
            writer.WriteNumber(name, entry.SizeBytes);
        }
    }

    private static string Name(string path, DiffEntry entry) => entry.IsDirectory ? path + "/" : path;

    /// <summary>One line is one difference: a newline in a name must not look like two.</summary>
    private static string Shown(string path, DiffEntry entry) =>
        Name(path, entry).Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal).Replace("\r", "\\r", StringComparison.Ordinal);
}
