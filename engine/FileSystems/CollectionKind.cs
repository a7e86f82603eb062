namespace KeepFs.Engine.FileSystems;

/// <summary>What a <see cref="CollectionEntry"/> shows.</summary>
internal enum CollectionKind
{
    /// <summary>A collection as it is now; follows what others save.</summary>
    Current,

    /// <summary>Content by portable data hash; never changes.</summary>
    Content,

    /// <summary>A past version; never changes.</summary>
    Version,

    /// <summary>Only in this mount, never saved, gone when it ends.</summary>
    Temporary,
}
