namespace KeepFs.Cli.Mount;

/// <summary>Whose defaults count (spec decision 20).</summary>
internal enum MountStyle
{
    /// <summary><c>keepfs mount</c>: read-write, in the foreground, close() is fast.</summary>
    KeepFs,

    /// <summary><c>arv-mount</c>: read-only, in the background, close() saves.</summary>
    ArvMount,
}
