using System.Diagnostics;
using KeepFs.Testing.Volumes;

namespace KeepFs.Cli.Tests;

/// <summary>The script <c>./keepfs</c> at the top of the repository, beside a program that says where and how it was started.</summary>
public sealed class LauncherTests : IDisposable
{
    private readonly TemporaryFolder _root = new();
    private readonly TemporaryFolder _elsewhere = new();

    public LauncherTests()
    {
        var program = Directory.CreateDirectory(Path.Combine(_root.Path, ".build", "program"));
        Write(Path.Combine(program.FullName, "keepfs"), "#!/bin/sh\npwd -P\necho \"$0 $*\"\n");
        Write(Path.Combine(_root.Path, "keepfs"), File.ReadAllText(Script()));

        // Sources first: what is newer than the stamp makes the script build.
        foreach (var source in (string[])["engine", "fuse", "hosting", "keepstore-host", "webdav", "catalog", "cli"])
        {
            Directory.CreateDirectory(Path.Combine(_root.Path, source));
        }

        foreach (var source in (string[])["Directory.Build.props", "Directory.Packages.props", "global.json"])
        {
            File.WriteAllText(Path.Combine(_root.Path, source), "");
        }

        File.WriteAllText(Path.Combine(_root.Path, ".build", "built"), "");
    }

    public void Dispose()
    {
        _root.Dispose();
        _elsewhere.Dispose();
    }

    [Fact]
    public async Task Relative_paths_are_the_callers()
    {
        using var script = Process.Start(new ProcessStartInfo(Path.Combine(_root.Path, "keepfs"), ["put", "a file"])
        {
            WorkingDirectory = _elsewhere.Path,
            RedirectStandardOutput = true,
        })!;

        Assert.Equal($"{_elsewhere.Path}\n{_root.Path}/.build/program/keepfs put a file\n", await script.StandardOutput.ReadToEndAsync());
        await script.WaitForExitAsync();
        Assert.Equal(0, script.ExitCode);
    }

    private static void Write(string path, string text)
    {
        File.WriteAllText(path, text);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private static string Script()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "KeepFs.sln")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("The tests do not run below the repository.");
        }

        return Path.Combine(folder, "keepfs");
    }
}
