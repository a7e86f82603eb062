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

    [Fact]
    public async Task Bench_catalog_measures_every_load_on_both_databases()
    {
        var folder = Directory.CreateTempSubdirectory("keepfs-bench-test-").FullName;
        try
        {
            // PostgreSQL's own user must get to its folder.
            File.SetUnixFileMode(folder, File.GetUnixFileMode(folder) | UnixFileMode.OtherExecute);
            var result = await Shell.RunAsync(
                KeepFsProcess.Program,
                [
                    "bench", "catalog", "--folder", folder, "--database", "both", "--rounds", "1", "--collections", "1000", "--users", "50", "--creates", "20", "--lists", "11", "--files", "100",
                    "--seconds", "0.1", "--json",
                ]);
            result.Ok();
            var rows = result.Lines.Select(line => JsonNode.Parse(line)!).ToList();
            Assert.Equal(["postgres", "sqlite"], rows.Select(row => (string)row["database"]!).Distinct().Order(StringComparer.Ordinal));
            foreach (var database in rows.GroupBy(row => (string)row["database"]!))
            {
                Assert.Equal(29, database.Count());
            }

            Assert.All(rows, row => Assert.True((double)row["median"]! > 0, row.ToJsonString()));
            Assert.Equal(2, rows.Count(row => row["peer_ratio"] is not null));
            Assert.Empty(Directory.GetFileSystemEntries(folder));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
