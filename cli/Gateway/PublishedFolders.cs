using System.Text;
using KeepFs.Engine.Blocks;

namespace KeepFs.Cli.Gateway;

/// <summary>Remembers beside the index which collection shows which folder, so that publishing again updates it. One small file each.</summary>
internal sealed class PublishedFolders(string mappings)
{
    /// <summary>The collection of the folder, or null.</summary>
    public string? Find(string folder)
    {
        var file = FileOf(folder);
        return File.Exists(file) && File.ReadAllText(file).Split('\n') is [var uuid, ..] && uuid.Length > 0 ? uuid : null;
    }

    /// <summary>Remembers it.</summary>
    public void Put(string folder, string uuid)
    {
        var file = FileOf(folder);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        var temporary = file + ".new";
        using (var stream = new FileStream(temporary, FileMode.Create, FileAccess.Write))
        {
            stream.Write(Encoding.UTF8.GetBytes($"{uuid}\n{folder}\n"));
            stream.Flush(flushToDisk: true);
        }

        File.Move(temporary, file, overwrite: true);
    }

    private string FileOf(string folder) => Path.Combine(mappings, "published", BlockHash.Compute(Encoding.UTF8.GetBytes(folder)).ToString());
}
