namespace KeepFs.Testing.Volumes;

/// <summary>One thing that was done to a <see cref="CrashDisk"/>. Files and directories are numbers; 0 is the root.</summary>
internal abstract record CrashStep
{
    /// <summary>A name was given to something new.</summary>
    public sealed record Name(int Directory, string Text, int Target) : CrashStep;

    /// <summary>A name in a directory moved, replacing what was there.</summary>
    public sealed record Move(int Directory, string From, string To, int Target) : CrashStep;

    /// <summary>A name was removed.</summary>
    public sealed record Remove(int Directory, string Text) : CrashStep;

    /// <summary>Bytes were written.</summary>
    public sealed record Write(int File, long Offset, byte[] Data) : CrashStep;

    /// <summary>The modification time was set, or changed by a write.</summary>
    public sealed record Time(int File, long Nanoseconds) : CrashStep;

    /// <summary>Bytes and time of a file were synced.</summary>
    public sealed record SyncFile(int File) : CrashStep;

    /// <summary>The names in a directory were synced.</summary>
    public sealed record SyncNames(int Directory) : CrashStep;

    /// <summary>Everything was synced.</summary>
    public sealed record SyncAll : CrashStep;

    /// <summary>Changes a directory.</summary>
    public int? NamesOf => this switch
    {
        Name step => step.Directory,
        Move step => step.Directory,
        Remove step => step.Directory,
        _ => null,
    };

    /// <summary>Changes a file.</summary>
    public int? BytesOf => this switch
    {
        Write step => step.File,
        Time step => step.File,
        _ => null,
    };

    /// <summary>Makes that earlier step durable.</summary>
    public bool Covers(CrashStep earlier) => this switch
    {
        SyncAll => true,
        SyncFile sync => earlier.BytesOf == sync.File,
        SyncNames sync => earlier.NamesOf == sync.Directory,
        _ => false,
    };
}
