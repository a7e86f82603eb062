using System.Text.Json.Nodes;

namespace KeepFs.Conformance.Tests;

/// <summary>Benchmarks run from start to end on little data; what they measure is not looked at.</summary>
public sealed class BenchTests
{
    [Fact]
    public async Task Bench_mount_measures_every_load_on_every_mount()
    {
        var folder = Directory.CreateTempSubdirectory("keepfs-bench-test-").FullName;
        try
        {
            var result = await Shell.RunAsync(
                KeepFsProcess.Program, ["bench", "mount", "--folder", folder, "--rounds", "1", "--mib", "4", "--files", "50", "--seconds", "0.1", "--without", "passthrough_ll", "--json"]);
            result.Ok();
            var rows = result.Lines.Select(line => JsonNode.Parse(line)!).ToList();
            Assert.Equal(10, rows.Select(row => (string)row["load"]!).Distinct().Count());
            Assert.Equal(["keepfs", "keepfs, read-only", "local disk", "rclone mount"], rows.Select(row => (string)row["mount"]!).Distinct().Order(StringComparer.Ordinal));
            Assert.All(rows, row => Assert.True((double)row["per_second"]! > 0, row.ToJsonString()));
            Assert.Empty(Directory.GetFileSystemEntries(folder));
        }
        finally
        {
            await Mounts.RemoveBelowAsync(folder);
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Bench_web_measures_every_load_on_every_server()
    {
        var folder = Directory.CreateTempSubdirectory("keepfs-bench-test-").FullName;
        try
        {
            var result = await Shell.RunAsync(
                KeepFsProcess.Program,
                [
                    "bench", "web", "--folder", folder, "--rounds", "1", "--mib", "4", "--files", "20", "--listed", "50", "--seconds", "0.1",
                    "--without", "nginx", "--without", "Apache mod_dav", "--json",
                ]);
            result.Ok();
            var rows = result.Lines.Select(line => JsonNode.Parse(line)!).ToList();
            Assert.Equal(6, rows.Select(row => (string)row["load"]!).Distinct().Count());
            Assert.Equal(["keepfs", "rclone serve webdav"], rows.Select(row => (string)row["server"]!).Distinct().Order(StringComparer.Ordinal));
            Assert.All(rows, row => Assert.True((double)row["per_second"]! > 0, row.ToJsonString()));
            Assert.Empty(Directory.GetFileSystemEntries(folder));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
