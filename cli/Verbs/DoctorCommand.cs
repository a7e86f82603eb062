using System.CommandLine;
using KeepFs.Cli.Doctor;
using KeepFs.Cli.Keepstore;
using KeepFs.Cli.Up;

namespace KeepFs.Cli.Verbs;

/// <summary><c>keepfs doctor</c>: examines a node and says what to do. Exit code 1 when something does not work.</summary>
internal static class DoctorCommand
{
    public static Command Create()
    {
        var config = new Option<string?>("--config") { Description = $"Configuration of the cluster (default: {KeepstoreFlags.DefaultConfig}, or that of keepfs up)." };
        var data = new Option<string?>("--data") { Description = $"Folder of a keepfs up (default: {DataFolder.DefaultPath}, when there is no {KeepstoreFlags.DefaultConfig})." };
        var json = new Option<bool>("--json") { Description = "Print for programs." };
        var command = new Command("doctor", "Examine this node: configuration, keys, volumes, memory, limits, clocks, and whether the other services answer.") { config, data, json };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var (file, isUp) = (parsed.GetValue(config), parsed.GetValue(data)) switch
            {
                (not null, not null) => throw new CommandException("Give --config or --data, not both.", 2),
                ({ } path, null) => (path, false),
                (null, { } folder) => (Path.Combine(folder, "config.yml"), true),
                _ when File.Exists(KeepstoreFlags.DefaultConfig) => (KeepstoreFlags.DefaultConfig, false),
                _ => (Path.Combine(DataFolder.DefaultPath, "config.yml"), true),
            };
            var diagnosis = await Examination.RunAsync(Path.GetFullPath(file), isUp, new DoctorTools(), cancellationToken);
            Console.Write(parsed.GetValue(json) ? diagnosis.ToJson() : diagnosis.ToText());
            return diagnosis.ExitCode;
        });
        return command;
    }
}
