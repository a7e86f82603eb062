using System.Text.Json.Serialization;

namespace KeepFs.Cli.Status;

/// <summary>What a running mount tells of itself; one JSON object on its socket.</summary>
internal sealed record MountStatus(
    string MountPoint, int Pid, DateTimeOffset StartedAt, string? JournalFolder, long JournalBytes, string? JournalError, IReadOnlyList<UnsavedStatus> Unsaved, IReadOnlyList<WaitingStatus> Waiting);

/// <summary>A collection with changes that the catalogue does not have.</summary>
internal sealed record UnsavedStatus(string Uuid, int FileCount, long Bytes, double AgeSeconds, string? LastError, IReadOnlyList<UnsavedFileStatus> Files);

/// <summary>One of its files.</summary>
internal sealed record UnsavedFileStatus(string Path, long Bytes, double AgeSeconds, bool IsOpen);

/// <summary>Unsaved changes that a dead process left in a journal. Without a mount that works on it, <see cref="Pid"/> is null.</summary>
internal sealed record WaitingStatus(string Uuid, string Folder, long Bytes, DateTimeOffset LeftAt, string? LastError, int? Pid);

/// <summary>What <c>keepfs status --json</c> prints.</summary>
internal sealed record StatusReport(IReadOnlyList<MountStatus> Mounts, IReadOnlyList<WaitingStatus> Journals);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(MountStatus))]
[JsonSerializable(typeof(StatusReport))]
internal sealed partial class StatusJson : JsonSerializerContext;
