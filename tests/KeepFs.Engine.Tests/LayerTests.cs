using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace KeepFs.Engine.Tests;

/// <summary>The direction of dependencies, inside the engine by folder and between projects by reference.</summary>
public sealed partial class LayerTests
{
    private static readonly Dictionary<string, string[]> MayUse = new()
    {
        ["Blocks"] = [],
        ["Manifests"] = ["Blocks"],
        ["Volumes"] = ["Blocks"],
        ["Mounts"] = ["Blocks", "Volumes"],
        ["Client"] = ["Blocks"],
        ["Catalog"] = ["Blocks", "Manifests"],

        // Only seams: IBlockStore and ICatalog. The network client and the local volumes are handed in.
        ["FileSystems"] = ["Blocks", "Manifests", "Catalog"],
    };

    /// <summary>Servers never name each other: they meet over HTTP, and only cli composes them.</summary>
    private static readonly Dictionary<string, string[]> MayReference = new()
    {
        ["engine/KeepFs.Engine.csproj"] = [],
        ["fuse/KeepFs.Fuse.csproj"] = ["KeepFs.Engine"],
        ["hosting/KeepFs.Hosting.csproj"] = ["KeepFs.Engine"],
        ["engine/KeepFs.Volumes.S3/KeepFs.Volumes.S3.csproj"] = ["KeepFs.Engine"],
        ["engine/KeepFs.Volumes.Azure/KeepFs.Volumes.Azure.csproj"] = ["KeepFs.Engine"],
        ["keepstore-host/KeepFs.KeepstoreHost.csproj"] = ["KeepFs.Hosting", "KeepFs.Volumes.S3", "KeepFs.Volumes.Azure"],
        ["webdav/KeepFs.WebDav.csproj"] = ["KeepFs.Hosting"],
        ["catalog/KeepFs.Catalog.csproj"] = ["KeepFs.Hosting"],
        ["cli/KeepFs.Cli.csproj"] = ["KeepFs.Fuse", "KeepFs.KeepstoreHost", "KeepFs.WebDav", "KeepFs.Catalog"],
    };

    [Fact]
    public void Engine_folders_use_only_the_layers_below_them()
    {
        var wrong = new List<string>();
        foreach (var (layer, allowed) in MayUse)
        {
            foreach (var file in Directory.EnumerateFiles(Path.Combine(Root(), "engine", layer), "*.cs", SearchOption.AllDirectories))
            {
                var named = EngineLayer().Matches(File.ReadAllText(file)).Select(match => match.Groups[1].Value).Distinct();
                wrong.AddRange(named.Where(name => name != layer && MayUse.ContainsKey(name) && !allowed.Contains(name)).Select(name => $"{Path.GetRelativePath(Root(), file)} names {name}"));
            }
        }

        Assert.Empty(wrong);
    }

    [Fact]
    public void Every_engine_folder_has_its_place_among_the_layers() =>
        Assert.Equal(MayUse.Keys.Order(), Directory.GetDirectories(Path.Combine(Root(), "engine")).Select(Path.GetFileName).Where(name => name is not ("bin" or "obj") && !name!.StartsWith("KeepFs.Volumes.", StringComparison.Ordinal)).Order());

    [Fact]
    public void Projects_reference_only_what_they_may()
    {
        foreach (var (project, allowed) in MayReference)
        {
            var references = XDocument.Load(Path.Combine(Root(), project)).Descendants("ProjectReference").Select(item => Path.GetFileNameWithoutExtension(item.Attribute("Include")!.Value));
            Assert.All(references, reference => Assert.Contains(reference, allowed));
        }
    }

    private static string Root([CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", ".."));

    [GeneratedRegex(@"KeepFs\.Engine\.([A-Z]\w+)")]
    private static partial Regex EngineLayer();
}
