using System.Security.Cryptography;
using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Volumes.Gateway;

/// <summary>
/// Small text files of an index and how they change (keep-gateway.md 4.1): whole files only, durable before they are seen, renamed into
/// place. Blocks; safe for concurrent use, also with other processes.
/// </summary>
internal sealed class GatewayFiles
{
    public const string TemporaryPrefix = "tmp";
    private const string ObjectsDirectory = "objects";
    private const int MaxFileBytes = 1 << 30;
    private readonly IDisk _disk;
    private readonly string _root;

    public GatewayFiles(string root, IDisk disk) => (_root, _disk) = (root, disk);

    public string Root => _root;

    public IDisk Disk => _disk;

    public string MappingDirectory(string digits) => Path.Join(_root, digits);

    public string Mapping(BlockHash hash)
    {
        var name = hash.ToString();
        return Path.Join(_root, name.AsSpan(0, DirectoryLayout.DirectoryNameLength), name);
    }

    public string ObjectsRoot => Path.Join(_root, ObjectsDirectory);

    public string ObjectEntry(BlockHash keyHash)
    {
        var name = keyHash.ToString();
        return Path.Join(ObjectsRoot, name.AsSpan(0, 2), name);
    }

    /// <summary>The file's bytes, or null when there is none.</summary>
    public byte[]? Read(string path)
    {
        try
        {
            using var file = _disk.Open(path, DiskAccess.Read);
            var length = file.Length;
            if (length > MaxFileBytes)
            {
                throw new DiskException(DiskError.Other, $"read {path}: {length} bytes are too many for a file of an index");
            }

            var bytes = new byte[length];
            var read = file.Read(bytes, 0);
            return read == length ? bytes : bytes[..read];
        }
        catch (DiskException e) when (e.Error == DiskError.NotFound)
        {
            return null;
        }
    }

    /// <summary>Replaces a file; bytes and name are durable when it returns. The directory is made if need be.</summary>
    public void Replace(string path, ReadOnlySpan<byte> bytes)
    {
        var directory = Path.GetDirectoryName(path)!;
        var temporary = Path.Join(directory, $"{TemporaryPrefix}{Path.GetFileName(path)}{RandomNumberGenerator.GetHexString(16, lowercase: true)}");
        try
        {
            using (var file = Create(temporary))
            {
                file.Write(bytes, 0);
                file.Sync();
            }

            _disk.Rename(temporary, path);
        }
        catch
        {
            TryDelete(temporary);
            throw;
        }

        _disk.SyncDirectory(directory);
    }

    /// <summary>Deletes a file durably; fine when there is none.</summary>
    public void Delete(string path)
    {
        try
        {
            _disk.Delete(path);
        }
        catch (DiskException e) when (e.Error == DiskError.NotFound)
        {
            return;
        }

        _disk.SyncDirectory(Path.GetDirectoryName(path)!);
    }

    /// <summary>Names in a directory in byte order; none when there is no such directory.</summary>
    public List<string> List(string directory)
    {
        try
        {
            var names = _disk.List(directory).ToList();
            names.Sort(StringComparer.Ordinal);
            return names;
        }
        catch (DiskException e) when (e.Error == DiskError.NotFound)
        {
            return [];
        }
    }

    /// <summary>Waits for the lock of all mappings that start with these three digits; dispose it to let go.</summary>
    public IDiskFile Lock(string digits)
    {
        var file = OpenOrCreate(Path.Join(_root, ".lock." + digits));
        try
        {
            file.Lock();
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public void TryDelete(string path)
    {
        try
        {
            _disk.Delete(path);
        }
        catch (DiskException)
        {
            // Never created, or left for the next scan; the first failure is the one to report.
        }
    }

    private IDiskFile OpenOrCreate(string path)
    {
        while (true)
        {
            try
            {
                return _disk.Open(path, DiskAccess.Append);
            }
            catch (DiskException e) when (e.Error == DiskError.NotFound)
            {
                // Not there yet.
            }

            try
            {
                _disk.Open(path, DiskAccess.CreateNew).Dispose();
            }
            catch (DiskException e) when (e.Error == DiskError.Exists)
            {
                // Somebody else made it just now.
            }
        }
    }

    private IDiskFile Create(string temporary)
    {
        try
        {
            return _disk.Open(temporary, DiskAccess.CreateNew);
        }
        catch (DiskException e) when (e.Error == DiskError.NotFound)
        {
            MakeDirectory(Path.GetDirectoryName(temporary)!);
            return _disk.Open(temporary, DiskAccess.CreateNew);
        }
    }

    /// <summary>At most two levels below the root, each name durable.</summary>
    private void MakeDirectory(string directory)
    {
        var parent = Path.GetDirectoryName(directory)!;
        if (parent != _root)
        {
            _disk.CreateDirectory(parent);
            _disk.SyncDirectory(_root);
        }

        _disk.CreateDirectory(directory);
        _disk.SyncDirectory(parent);
    }
}
