namespace KeepFs.KeepstoreHost;

/// <summary>What one volume did to the disk or service behind it since the start, for <c>/metrics</c>. Safe for concurrent use.</summary>
internal interface IVolumeMeter
{
    /// <summary>Every operation that there can be, with its count.</summary>
    IEnumerable<(string Name, long Count)> Operations { get; }

    /// <summary>Failures by type.</summary>
    IEnumerable<(string Name, long Count)> Errors { get; }

    /// <summary>Bytes that came in.</summary>
    long ReadBytes { get; }

    /// <summary>Bytes that went out.</summary>
    long WrittenBytes { get; }
}
