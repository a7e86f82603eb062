using System.Collections.Concurrent;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Mounts;

namespace KeepFs.Engine.Tests.Mounts;

/// <summary>One line per event: what, and the last character of the mount.</summary>
internal sealed class RecordedEvents : IKeepstoreEvents
{
    private readonly ConcurrentQueue<string> _lines = new();

    public string[] Lines => [.. _lines];

    public void CorruptCopy(BlockHash hash, string mountUuid, string reason) => Add("corrupt", mountUuid);

    public void RepairedCopy(BlockHash hash, string mountUuid) => Add("repaired", mountUuid);

    public void FailedRead(BlockHash hash, string mountUuid, Exception failure) => Add("read", mountUuid);

    public void FailedWrite(BlockHash hash, string mountUuid, Exception failure) => Add("write", mountUuid);

    public void KeptListedBlock(BlockHash hash, string mountUuid, string reason) => Add("kept", mountUuid);

    public void TrashedListedBlock(BlockHash hash, string mountUuid) => Add("trashed", mountUuid);

    public void FailedTrash(BlockHash hash, string mountUuid, Exception failure) => Add("trash", mountUuid);

    public void PulledBlock(BlockHash hash, string mountUuid) => Add("pulled", mountUuid);

    public void FailedPull(BlockHash hash, string mountUuid, Exception failure) => Add("pull", mountUuid);

    private void Add(string what, string mountUuid) => _lines.Enqueue($"{what} {(mountUuid.Length > 0 ? mountUuid[^1] : '-')}");
}
