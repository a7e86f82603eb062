namespace KeepFs.Cli.Bench.Catalog;

/// <summary>What <c>keepfs bench catalog</c> is asked to do.</summary>
internal sealed record CatalogBenchOptions
{
    /// <summary>The database in a file.</summary>
    public const string Sqlite = "sqlite";

    /// <summary>A server of Debian's packages, started for the bench.</summary>
    public const string Postgres = "postgres";

    /// <summary>A folder on a disk, for everything.</summary>
    public required string Folder { get; init; }

    /// <summary>Which databases.</summary>
    public required IReadOnlyList<string> Databases { get; init; }

    /// <summary>How often each load runs on each database.</summary>
    public int Rounds { get; init; } = 3;

    /// <summary>Collections that are there before anything is measured.</summary>
    public int Collections { get; init; } = 100_000;

    /// <summary>Users, a tenth as many groups, as many projects as a hundredth of the collections.</summary>
    public int Users { get; init; } = 10_000;

    /// <summary>Collections that are created in one round.</summary>
    public int Creates { get; init; } = 2000;

    /// <summary>Lists that are asked for in one round.</summary>
    public int Lists { get; init; } = 400;

    /// <summary>Files of the large manifest; a tenth as many blocks.</summary>
    public int LargeFiles { get; init; } = 100_000;

    /// <summary>How long a reading load lasts.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Only loads whose name contains this.</summary>
    public string Only { get; init; } = "";

    /// <summary>One JSON object for each row instead of a table.</summary>
    public bool Json { get; init; }
}
