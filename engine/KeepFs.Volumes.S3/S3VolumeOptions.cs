using KeepFs.Engine.Volumes;

namespace KeepFs.Volumes.S3;

/// <summary>The DriverParameters of an S3 volume (keepstore-http.md 11.2).</summary>
public sealed record S3VolumeOptions
{
    private const int MostPerPage = 1000;
    private const int LongestPrefix = 32;

    /// <summary>The bucket.</summary>
    public required S3ConnectionOptions Connection { get; init; }

    /// <summary>When blocks may go.</summary>
    public required TrashPolicy Trash { get; init; }

    /// <summary>Keys in one page of a listing; S3 gives 1,000 at most.</summary>
    public int IndexPageSize { get; init; } = MostPerPage;

    /// <summary>
    /// How long a time written by one server may stay unseen by another. Trash that is due so soon is not replaced by newer trash, since
    /// it could be deleted in its place.
    /// </summary>
    public TimeSpan RaceWindow { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Digits of the hash that stand before it as a folder; 0 = none.</summary>
    public int PrefixLength { get; init; }

    /// <summary>With a trash lifetime of zero blocks are deleted at once, although that can race with a write. Otherwise such trashing fails.</summary>
    public bool UnsafeDelete { get; init; }

    /// <summary>Reads and checks the parameters; what is wrong is added to the faults.</summary>
    public static S3VolumeOptions Parse(DriverParameters parameters, TrashPolicy trash) => new()
    {
        Connection = S3ConnectionOptions.Parse(parameters),
        Trash = trash,
        IndexPageSize = parameters.Number("IndexPageSize", MostPerPage, 1, MostPerPage),
        RaceWindow = parameters.Duration("RaceWindow", TimeSpan.FromHours(24), TimeSpan.Zero),
        PrefixLength = parameters.Number("PrefixLength", 0, 0, LongestPrefix),
        UnsafeDelete = parameters.Boolean("UnsafeDelete"),
    };
}
