namespace KeepFs.Engine.FileSystems;

/// <summary>What is not saved and why: for the next write to the file, for <c>keepfs status</c> and for unmounting.</summary>
public sealed partial class CollectionFileSystem
{
    private string? _lastError;

    /// <summary>What the catalogue does not have; null when it has everything.</summary>
    internal UnsavedCollection? DescribeUnsaved()
    {
        lock (Lock)
        {
            var files = WithMemory.Where(file => !file.IsRemoved && file.UnsavedSince is not null).OrderBy(file => file.UnsavedSince).ToList();
            if (files.Count == 0 && !RootNode.IsDirtyBelow)
            {
                return null;
            }

            return new UnsavedCollection(
                Uuid,
                [.. files.Take(UnsavedCollection.MaxFiles).Select(Describe)],
                files.Count,
                files.Sum(BytesOf),
                files.Count > 0 ? AgeOf(files[0]) : TimeSpan.Zero,
                _lastError);
        }

        UnsavedFile Describe(CollectionFile file) => new(file.Path, BytesOf(file), AgeOf(file), file.WriterCount > 0);

        TimeSpan AgeOf(CollectionFile file) => Services.Time.GetElapsedTime(file.UnsavedSince!.Value);

        static long BytesOf(CollectionFile file) => file.ContentInMemory?.Unstored.Sum(segment => (long)segment.Length) ?? 0;
    }

    private void RememberFailure(string message)
    {
        lock (Lock)
        {
            _lastError = message;
            if (_failures + 1 >= Services.Options.FailuresBeforeReport)
            {
                foreach (var file in Unsaved())
                {
                    file.Failure = message;
                }
            }
        }
    }

    private void ForgetFailures()
    {
        lock (Lock)
        {
            (_failures, _lastError) = (0, null);
            foreach (var file in WithMemory)
            {
                file.Failure = null;
            }
        }
    }
}
