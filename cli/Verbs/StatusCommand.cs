using System.CommandLine;
using System.Text.Json;
using KeepFs.Cli.Output;
using KeepFs.Cli.Settings;
using KeepFs.Cli.Status;

namespace KeepFs.Cli.Verbs;

/// <summary><c>keepfs status</c>: the mounts of this user, what they have not saved yet and why, and journals that wait for a mount.</summary>
internal static class StatusCommand
{
    private const int FilesShown = 10;

    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var command = new Command("status", "Show what your mounts have not saved yet, and why.") { json };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var mounts = await StatusSocket.AskAllAsync(cancellationToken);
            var report = new StatusReport(mounts, JournalFolder.Waiting());
            if (parsed.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(report, StatusJson.Default.StatusReport));
            }
            else
            {
                Print(report);
            }

            return 0;
        });
        return command;
    }

    private static void Print(StatusReport report)
    {
        if (report.Mounts.Count == 0)
        {
            Console.WriteLine("no mounts");
        }

        foreach (var mount in report.Mounts)
        {
            var files = mount.Unsaved.Sum(collection => collection.FileCount);
            Console.WriteLine($"{mount.MountPoint}  (process {mount.Pid}): " + (mount.Unsaved.Count == 0 ? "everything is saved" : $"{files} files, {Readable.Bytes(mount.Unsaved.Sum(collection => collection.Bytes))} to upload"));
            Console.WriteLine($"  journal {mount.JournalFolder ?? "none"}, {Readable.Bytes(mount.JournalBytes)}{(mount.JournalError is { } error ? ": " + error : "")}");
            foreach (var collection in mount.Unsaved)
            {
                Console.WriteLine($"  collection {collection.Uuid}: {collection.FileCount} files, {Readable.Bytes(collection.Bytes)}, since {collection.AgeSeconds:0} s{(collection.LastError is { } last ? ": " + last : "")}");
                foreach (var file in collection.Files.Take(FilesShown))
                {
                    Console.WriteLine($"    {file.Path}  {Readable.Bytes(file.Bytes)}, since {file.AgeSeconds:0} s{(file.IsOpen ? ", open" : "")}");
                }
            }

            mount.Waiting.ToList().ForEach(Print);
        }

        report.Journals.ToList().ForEach(Print);
    }

    private static void Print(WaitingStatus waiting) =>
        Console.WriteLine($"  left by an earlier mount at {waiting.LeftAt:u}: collection {waiting.Uuid}, {Readable.Bytes(waiting.Bytes)} in {waiting.Folder}: "
            + (waiting.LastError ?? (waiting.Pid is null ? "saved by the next mount" : "being saved")));
}
