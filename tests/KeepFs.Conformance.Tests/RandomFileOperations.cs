using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace KeepFs.Conformance.Tests;

/// <summary>
/// Random work on files of a folder by system calls, each answer checked against a model: writes anywhere, appends, cuts, reads, mapped reads and writes, renames over open
/// files, files that are used after they were unlinked.
/// </summary>
internal sealed class RandomFileOperations(string folder, int seed) : IDisposable
{
    private const int MaxSize = 300_000;
    private const int MaxOpen = 6;
    private readonly Random _random = new(seed);
    private readonly Dictionary<string, Model> _files = new(StringComparer.Ordinal);
    private readonly List<string> _directories = [""];
    private readonly List<(SafeFileHandle Handle, Model Model)> _open = [];
    private readonly Queue<string> _history = new();

    public void Run(int count)
    {
        for (var i = 0; i < count; i++)
        {
            try
            {
                Next();
            }
            catch (Exception e) when (e is not InvalidOperationException)
            {
                throw new InvalidOperationException($"seed {seed}: {string.Join("; ", _history)}", e);
            }
        }
    }

    /// <summary>The process behind the mount is gone: handles are void, unlinked files too.</summary>
    public void Forget()
    {
        _open.ForEach(open => open.Handle.Dispose());
        _open.Clear();
    }

    /// <summary>Names and contents are those of the model, and nothing else is there.</summary>
    public void Verify()
    {
        Equal(string.Join('\n', _files.Keys.Concat(_directories.Where(name => name.Length > 0)).Order(StringComparer.Ordinal)),
            string.Join('\n', Directory.EnumerateFileSystemEntries(folder, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(folder, path)).Order(StringComparer.Ordinal)));
        foreach (var (name, model) in _files)
        {
            Check(File.ReadAllBytes(Path.Combine(folder, name)), model.Content.AsSpan(0, model.Length), name);
        }
    }

    public void Dispose() => Forget();

    private void Next()
    {
        var name = Name();
        switch (_random.Next(20))
        {
            case < 2:
                Tell($"open {name}");
                Open(name);
                break;
            case < 8 when _open.Count > 0:
                var (handle, model) = _open[_random.Next(_open.Count)];
                var offset = _random.Next(3) == 0 ? model.Length : _random.Next(Math.Min(model.Length + 2000, MaxSize));
                var data = new byte[_random.Next(1, _random.Next(8) == 0 ? 60_000 : 3000)];
                _random.NextBytes(data);
                Tell($"write {model.Number} {offset}+{data.Length}");
                RandomAccess.Write(handle, data, offset);
                model.Write(offset, data);
                break;
            case < 12 when _open.Count > 0:
                (handle, model) = _open[_random.Next(_open.Count)];
                Read(handle, model);
                break;
            case 12 when _open.Count > 0:
                (handle, model) = _open[_random.Next(_open.Count)];
                var size = _random.Next(Math.Min(model.Length + 3000, MaxSize));
                Tell($"truncate {model.Number} {size}");
                RandomAccess.SetLength(handle, size);
                model.SetLength(size);
                break;
            case 13 when _files.TryGetValue(name, out var file) && file.Length > 0:
                Tell($"mmap {name}");
                using (var mapped = MemoryMappedFile.CreateFromFile(OpenHandle(name, FileAccess.Read), null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false))
                using (var view = mapped.CreateViewAccessor(0, file.Length, MemoryMappedFileAccess.Read))
                {
                    var bytes = new byte[file.Length];
                    view.ReadArray(0, bytes, 0, bytes.Length);
                    Check(bytes, file.Content.AsSpan(0, file.Length), name);
                }

                break;
            case 14 when _random.Next(2) == 0 && _files.TryGetValue(name, out var mapped) && mapped.Length > 0:
                WriteMapped(name, mapped);
                break;
            case 14 when _files.ContainsKey(name):
                var target = Name();
                if (!_directories.Contains(target) && target != name)
                {
                    Tell($"rename {name} {target}");
                    File.Move(Path.Combine(folder, name), Path.Combine(folder, target), overwrite: true);
                    _files[target] = _files[name];
                    _files.Remove(name);
                }

                break;
            case 15 when _files.ContainsKey(name):
                Tell($"unlink {name}");
                File.Delete(Path.Combine(folder, name));
                _files.Remove(name);
                break;
            case 16 when !_files.ContainsKey(name) && !_directories.Contains(name) && _directories.Count < 5 && !name.Contains('/', StringComparison.Ordinal):
                Tell($"mkdir {name}");
                Directory.CreateDirectory(Path.Combine(folder, name));
                _directories.Add(name);
                break;
            case 17 when _directories.Count > 1:
                RenameDirectory(_directories[_random.Next(1, _directories.Count)]);
                break;
            case 18 when _open.Count > 0:
                var at = _random.Next(_open.Count);
                Tell($"close {_open[at].Model.Number}");
                _open[at].Handle.Dispose();
                _open.RemoveAt(at);
                break;
            case 19 when _random.Next(40) == 0 && _open.Count > 0:
                (handle, model) = _open[_random.Next(_open.Count)];
                Tell($"fsync {model.Number}");
                RandomAccess.FlushToDisk(handle);
                break;
        }
    }

    /// <summary>Through a shared mapping, and synced: what was not is nobody's promise after a kill.</summary>
    private void WriteMapped(string name, Model model)
    {
        var start = _random.Next(model.Length);
        var data = new byte[_random.Next(1, Math.Min(model.Length - start, 20_000) + 1)];
        _random.NextBytes(data);
        Tell($"mapped write {model.Number} {start}+{data.Length}");
        using var mapped = MemoryMappedFile.CreateFromFile(OpenHandle(name, FileAccess.ReadWrite), null, 0, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None, leaveOpen: false);
        using var view = mapped.CreateViewAccessor(0, model.Length, MemoryMappedFileAccess.ReadWrite);
        view.WriteArray(start, data, 0, data.Length);
        view.Flush();
        model.Write(start, data);
    }

    private void Open(string name)
    {
        if (_directories.Contains(name))
        {
            return;
        }

        if (_open.Count == MaxOpen)
        {
            _open[0].Handle.Dispose();
            _open.RemoveAt(0);
        }

        var handle = OpenHandle(name, FileAccess.ReadWrite);
        if (!_files.TryGetValue(name, out var model))
        {
            _files.Add(name, model = new Model());
        }

        _open.Add((handle, model));
    }

    private SafeFileHandle OpenHandle(string name, FileAccess access) => File.OpenHandle(
        Path.Combine(folder, name), access == FileAccess.Read ? FileMode.Open : FileMode.OpenOrCreate, access, FileShare.ReadWrite | FileShare.Delete);

    private void Read(SafeFileHandle handle, Model model)
    {
        var offset = _random.Next(model.Length + 100);
        var bytes = new byte[_random.Next(1, 40_000)];
        Tell($"read {model.Number} {offset}+{bytes.Length}");
        var expected = model.Content.AsSpan(Math.Min(offset, model.Length), Math.Max(0, Math.Min(bytes.Length, model.Length - offset)));
        var filled = 0;
        for (int count; filled < bytes.Length && (count = RandomAccess.Read(handle, bytes.AsSpan(filled), offset + filled)) > 0;)
        {
            filled += count;
        }

        Check(bytes.AsSpan(0, filled), expected, $"file {model.Number}");
    }

    private void RenameDirectory(string name)
    {
        var target = "g" + _random.Next(8);
        if (_directories.Contains(target) || _files.ContainsKey(target))
        {
            return;
        }

        Tell($"rename directory {name} {target}");
        Directory.Move(Path.Combine(folder, name), Path.Combine(folder, target));
        _directories[_directories.IndexOf(name)] = target;
        foreach (var inside in _files.Keys.Where(path => path.StartsWith(name + "/", StringComparison.Ordinal)).ToArray())
        {
            _files[target + inside[name.Length..]] = _files[inside];
            _files.Remove(inside);
        }
    }

    private string Name()
    {
        var directory = _directories[_random.Next(_directories.Count)];
        return (directory.Length == 0 ? "" : directory + "/") + (char)('a' + _random.Next(8));
    }

    private void Tell(string what)
    {
        _history.Enqueue(what);
        if (_history.Count > 200)
        {
            _history.Dequeue();
        }
    }

    private void Check(ReadOnlySpan<byte> actual, ReadOnlySpan<byte> expected, string what)
    {
        if (!actual.SequenceEqual(expected))
        {
            throw new InvalidOperationException(
                $"seed {seed}: {what}: {actual.Length} bytes, {expected.Length} expected, first difference at {actual.CommonPrefixLength(expected)}\n{string.Join("; ", _history)}");
        }
    }

    private void Equal(string expected, string actual)
    {
        if (expected != actual)
        {
            throw new InvalidOperationException($"seed {seed}: names\n{actual}\nexpected\n{expected}\n{string.Join("; ", _history)}");
        }
    }

    private sealed class Model
    {
        private static int _last;

        public int Number { get; } = Interlocked.Increment(ref _last);

        public byte[] Content { get; } = new byte[MaxSize + 70_000];

        public int Length { get; private set; }

        public void Write(int offset, byte[] data)
        {
            data.CopyTo(Content, offset);
            Length = Math.Max(Length, offset + data.Length);
        }

        public void SetLength(int length)
        {
            if (length < Length)
            {
                Array.Clear(Content, length, Length - length);
            }

            Length = length;
        }
    }
}
