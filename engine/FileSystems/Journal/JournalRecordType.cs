namespace KeepFs.Engine.FileSystems.Journal;

/// <summary>What a record says. The numbers are on disk: never reuse one (decision 0018 has the fields).</summary>
internal enum JournalRecordType : byte
{
    /// <summary>First in each file: collection, content hash of the version that the changes are based on.</summary>
    Begin = 1,

    /// <summary>File made: id, path.</summary>
    Create = 2,

    /// <summary>Directory made: path.</summary>
    MakeDirectory = 3,

    /// <summary>File or empty directory removed: path, fingerprint of its saved content.</summary>
    Remove = 4,

    /// <summary>Moved: path, new path, fingerprints of what moved and of what was replaced.</summary>
    Rename = 5,

    /// <summary>A saved file is about to change: id, path, saved content.</summary>
    Bind = 6,

    /// <summary>Bytes: id, offset, data.</summary>
    Write = 7,

    /// <summary>Bytes in a data file: id, offset, length, file, position, checksum.</summary>
    WriteBulk = 8,

    /// <summary>Cut or extended: id, size.</summary>
    SetSize = 9,

    /// <summary>Ranges that keepstores have now: id, content.</summary>
    Stored = 10,

    /// <summary>A save took everything so far except the files that are named: number, ids, paths.</summary>
    Taken = 11,

    /// <summary>What that save is about to put where: number, paths, content.</summary>
    Saving = 12,

    /// <summary>It is in the catalogue: number, content hash of the collection.</summary>
    Committed = 13,
}
