namespace KeepFs.Engine.Volumes;

/// <summary>
/// Notices that a volume's root is another directory than it was: when a disk is unmounted, its empty mount point is left, and blocks
/// must neither be written there nor be reported missing. The same file system mounted again is the volume again. Safe for
/// concurrent use.
/// </summary>
internal sealed class RootGuard
{
    private readonly IDisk _disk;
    private readonly string _root;
    private readonly string? _fileSystem;
    private readonly Lock _lock = new();
    private volatile Place _place;

    /// <summary>Takes what is there now for the volume.</summary>
    /// <exception cref="DiskException">There is nothing.</exception>
    public RootGuard(IDisk disk, string root)
    {
        (_disk, _root) = (disk, root);
        _place = new Place(disk.Locate(root));
        _fileSystem = disk.DescribeFileSystem(root);
    }

    /// <summary>Rises each time the volume is found again in another place: handles from before belong to the old one.</summary>
    public int Generation => _place.Generation;

    /// <summary>Passes while the root is the volume, as it has been since that generation.</summary>
    /// <exception cref="DiskException">It is not.</exception>
    public void Check(int generation)
    {
        if (Check() != generation)
        {
            throw new DiskException(DiskError.Other, $"{_root} was mounted again meanwhile");
        }
    }

    /// <summary>Passes while the root is the volume; the <see cref="Generation"/>.</summary>
    /// <exception cref="DiskException">It is not.</exception>
    public int Check()
    {
        DiskPlace now;
        try
        {
            now = _disk.Locate(_root);
        }
        catch (DiskException e)
        {
            throw new DiskException(DiskError.Other, $"the root {_root} is gone ({e.Message}); mount its disk again", e);
        }

        var place = _place;
        if (now == place.Where)
        {
            return place.Generation;
        }

        lock (_lock)
        {
            if (now == _place.Where)
            {
                return _place.Generation;
            }

            var fileSystem = _disk.DescribeFileSystem(_root);
            if (fileSystem is null || fileSystem != _fileSystem)
            {
                throw new DiskException(
                    DiskError.Other, $"at the root {_root} is now {fileSystem ?? "an unknown file system"} instead of {_fileSystem ?? "the directory opened at the start"}; mount its disk again");
            }

            _place = new Place(now) { Generation = _place.Generation + 1 };
            return _place.Generation;
        }
    }

    private sealed record Place(DiskPlace Where)
    {
        public int Generation { get; init; }
    }
}
