using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;

namespace KeepFs.Cli.Bench.Mounts;

/// <summary>What is read: one large file, a tree of small ones, the same tree as a tar file and as a git repository. Contents cannot be compressed or shared.</summary>
internal sealed class BenchData(string folder, long fileBytes, int files)
{
    private const int PieceBytes = 1 << 20;
    private const int FilesPerDirectory = 100;

    /// <summary>The smallest and largest size of small files: those of source code.</summary>
    private const int MinSmallBytes = 300, MaxSmallBytes = 12_000;

    /// <summary>Enough that every step of reading has run often.</summary>
    private const long OtherBytes = 256L << 20;

    public const string Large = "large", Other = "other", Tree = "tree", Archive = "tree.tar", Repository = "repository";

    public string Folder => folder;

    public long FileBytes => fileBytes;

    public int Files => files;

    public async Task CreateAsync(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        Fill(Large, fileBytes);
        Fill(Other, OtherBytes);

        var sizes = new Random(1);
        for (var i = 0; i < files; i++)
        {
            var directory = Path.Combine(folder, Tree, (i / FilesPerDirectory).ToString("d4", CultureInfo.InvariantCulture));
            Directory.CreateDirectory(directory);
            await File.WriteAllBytesAsync(Path.Combine(directory, $"file{i:d6}.txt"), RandomNumberGenerator.GetBytes(sizes.Next(MinSmallBytes, MaxSmallBytes)), cancellationToken);
        }

        await Shell.RunAsync($"tar -cf {Archive} {Tree} && git -c init.defaultBranch=main init -q {Repository} && cp -r {Tree} {Repository}/ && cd {Repository} && git config gc.auto 0 && git add . && git -c user.name=b -c user.email=b@b commit -qm tree && git gc -q", folder, cancellationToken);
    }

    private void Fill(string name, long bytes)
    {
        var piece = new byte[PieceBytes];
        using var file = File.Create(Path.Combine(folder, name));
        for (long written = 0; written < bytes; written += PieceBytes)
        {
            RandomNumberGenerator.Fill(piece);
            file.Write(piece, 0, (int)Math.Min(PieceBytes, bytes - written));
        }
    }
}

/// <summary>Commands of the shell that are part of a load.</summary>
internal static class Shell
{
    /// <exception cref="CommandException">It failed.</exception>
    public static async Task RunAsync(string script, string folder, CancellationToken cancellationToken)
    {
        using var process = Process.Start(new ProcessStartInfo("/bin/sh", ["-ec", script]) { WorkingDirectory = folder, RedirectStandardError = true, RedirectStandardOutput = true })!;
        var errors = process.StandardError.ReadToEndAsync(cancellationToken);
        await process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        if (process.ExitCode != 0)
        {
            throw new CommandException($"'{script}' failed in {folder}: {await errors}");
        }
    }
}
