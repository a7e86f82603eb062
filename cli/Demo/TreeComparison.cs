namespace KeepFs.Cli.Demo;

/// <summary>Compares what came back with the local files it was made from: every byte, and the list of names.</summary>
internal sealed class TreeComparison(IReadOnlyList<Transfer.LocalEntry> expected)
{
    private const int PieceBytes = 1 << 20;
    private const int Parallel = 4;

    /// <summary>The first difference, or null.</summary>
    public string? Difference { get; private set; }

    public long ComparedBytes => Interlocked.Read(ref _comparedBytes);

    private long _comparedBytes;

    /// <summary>Opens each expected file by <paramref name="open"/> and compares; several at a time.</summary>
    public async Task CompareContentAsync(Func<Transfer.LocalEntry, CancellationToken, Task<Stream>> open, CancellationToken cancellationToken) =>
        await System.Threading.Tasks.Parallel.ForEachAsync(
            expected.Where(entry => !entry.IsDirectory),
            new ParallelOptions { MaxDegreeOfParallelism = Parallel, CancellationToken = cancellationToken },
            async (entry, token) =>
            {
                try
                {
                    await using var actual = await open(entry, token);
                    await using var local = new FileStream(entry.LocalPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0, FileOptions.SequentialScan);
                    if (!await AreEqualAsync(local, actual, token))
                    {
                        Report($"{entry.Path} has other bytes");
                    }
                }
                catch (Exception e) when (e is IOException or HttpRequestException or UnauthorizedAccessException)
                {
                    Report($"{entry.Path}: {e.Message}");
                }
            });

    /// <summary>Compares the names: nothing missing, nothing more. Directories end with a slash.</summary>
    public void CompareNames(IEnumerable<string> actual)
    {
        var wanted = expected.Select(entry => entry.IsDirectory ? entry.Path + "/" : entry.Path).ToHashSet(StringComparer.Ordinal);
        foreach (var name in actual)
        {
            if (!wanted.Remove(name))
            {
                Report($"{name} should not be there");
            }
        }

        if (wanted.Count > 0)
        {
            Report($"{wanted.Order(StringComparer.Ordinal).First()} is missing");
        }
    }

    private void Report(string difference) => Difference ??= difference;

    private async Task<bool> AreEqualAsync(Stream expectedBytes, Stream actual, CancellationToken cancellationToken)
    {
        var (a, b) = (System.Buffers.ArrayPool<byte>.Shared.Rent(PieceBytes), System.Buffers.ArrayPool<byte>.Shared.Rent(PieceBytes));
        try
        {
            while (true)
            {
                var read = await expectedBytes.ReadAtLeastAsync(a.AsMemory(0, PieceBytes), PieceBytes, throwOnEndOfStream: false, cancellationToken);
                var other = await actual.ReadAtLeastAsync(b.AsMemory(0, PieceBytes), PieceBytes, throwOnEndOfStream: false, cancellationToken);
                if (!a.AsSpan(0, read).SequenceEqual(b.AsSpan(0, other)))
                {
                    return false;
                }

                Interlocked.Add(ref _comparedBytes, read);
                if (read < PieceBytes)
                {
                    return true;
                }
            }
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(a);
            System.Buffers.ArrayPool<byte>.Shared.Return(b);
        }
    }
}
