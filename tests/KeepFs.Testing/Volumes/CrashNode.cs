namespace KeepFs.Testing.Volumes;

/// <summary>A file, directory or symbolic link of a <see cref="CrashDisk"/>.</summary>
internal sealed class CrashNode
{
    public byte[] Data { get; set; } = [];

    public long MtimeNanoseconds { get; set; }

    /// <summary>Names in a directory; null for others.</summary>
    public SortedDictionary<string, int>? Names { get; init; }

    /// <summary>Text of a symbolic link; null for others.</summary>
    public string? Link { get; init; }

    public bool IsFile => Names is null && Link is null;

    public CrashNode Copy() => new()
    {
        Data = Data,
        MtimeNanoseconds = MtimeNanoseconds,
        Names = Names is null ? null : new SortedDictionary<string, int>(Names, StringComparer.Ordinal),
        Link = Link,
    };

    /// <summary>Does what a step says to this directory.</summary>
    public void ApplyNames(CrashStep step)
    {
        switch (step)
        {
            case CrashStep.Name name:
                Names![name.Text] = name.Target;
                break;
            case CrashStep.Move move:
                Names!.Remove(move.From);
                Names[move.To] = move.Target;
                break;
            case CrashStep.Remove remove:
                Names!.Remove(remove.Text);
                break;
        }
    }

    /// <summary>Does what a step says to this file.</summary>
    public void ApplyBytes(CrashStep step)
    {
        switch (step)
        {
            case CrashStep.Write write:
                // A new array: copies of this node keep the old one.
                var data = new byte[Math.Max(Data.Length, write.Offset + write.Data.Length)];
                Data.CopyTo(data, 0);
                write.Data.CopyTo(data, write.Offset);
                Data = data;
                break;
            case CrashStep.Time time:
                MtimeNanoseconds = time.Nanoseconds;
                break;
        }
    }
}
