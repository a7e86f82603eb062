using System.Text;
using KeepFs.Cli.Diff;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Catalog;
using KeepFs.Testing.Blocks;
using KeepFs.Testing.Catalog;
using KeepFs.Testing.Volumes;

namespace KeepFs.Cli.Tests.Diff;

/// <summary>What <c>keepfs diff</c> finds between collections, versions and folders.</summary>
public sealed class TreeDiffTests : IDisposable
{
    private readonly MemoryCatalog _catalog = new();
    private readonly MemoryBlockStore _store = new();
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Collections_are_compared_by_their_references()
    {
        var foo = await BlockAsync("foobar");
        var bar = await BlockAsync("other!");
        var left = await CollectionAsync($". {foo} {bar} 0:3:changed 0:6:moved 6:6:same 3:3:gone\n./empty d41d8cd98f00b204e9800998ecf8427e+0 0:0:\\056\n");
        var right = await CollectionAsync($". {foo} {bar} 3:3:changed 6:6:same\n./dir {foo} 0:3:new 0:3:cut 3:3:cut\n./empty d41d8cd98f00b204e9800998ecf8427e+0 0:0:file\n");

        Assert.Equal(["M changed", "R moved -> dir/cut", "A dir/new", "A empty/file", "D gone"], await DiffAsync(left, right));
        Assert.Equal(["M changed", "A dir/cut", "A dir/new", "A empty/file", "D gone", "D moved"], await DiffAsync(left, right, findsRenames: false));
        Assert.Empty(await DiffAsync(left, left));
        Assert.Equal(["A file"], await DiffAsync(left + "/empty", right + "/empty"));
    }

    [Fact]
    public async Task Versions_are_named_by_number_and_time()
    {
        var uuid = await CollectionAsync("");
        var block = await BlockAsync("text");
        await _catalog.UpdateCollectionAsync(uuid, new CollectionChange { Collection = new CollectionWrite { ManifestText = Encoding.UTF8.GetBytes($". {block} 0:4:file\n") } }, default);

        Assert.Equal(["A file"], await DiffAsync(uuid + "@1", uuid + "@2"));
        Assert.Equal(["D file"], await DiffAsync(uuid, uuid + "@1970-01-01T00:00:01Z"));
        Assert.Empty(await DiffAsync(uuid, uuid + "@2100-01-01"));
        Assert.Contains("no version 9", (await Assert.ThrowsAsync<CommandException>(() => DiffAsync(uuid, uuid + "@9"))).Message, StringComparison.Ordinal);
        Assert.Contains("neither the number", (await Assert.ThrowsAsync<CommandException>(() => DiffAsync(uuid, uuid + "@x"))).Message, StringComparison.Ordinal);
        Assert.Contains("neither a local file", (await Assert.ThrowsAsync<CommandException>(() => DiffAsync(uuid, _folder.Path + "/none"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Local_files_are_compared_with_whole_blocks_by_hash_and_with_parts_by_their_bytes()
    {
        var whole = await BlockAsync("whole block");
        var packed = await BlockAsync("onetwothree");
        var uuid = await CollectionAsync($". {whole} {packed} 0:11:whole 11:3:one 14:3:two 17:5:three\n./dir d41d8cd98f00b204e9800998ecf8427e+0 0:0:\\056\n");
        Write("whole", "whole block");
        Write("one", "one");
        Write("two", "TWO");
        Write("sub/three", "three");

        Assert.Equal(["D dir/", "R three -> sub/three", "M two"], await DiffAsync(uuid, _folder.Path));
        Write("whole", "wrong block");
        Assert.Equal(["A dir/", "R sub/three -> three", "M two", "M whole"], await DiffAsync(_folder.Path, uuid));
    }

    [Fact]
    public async Task Local_folders_are_compared_byte_by_byte()
    {
        Write("a/same", "1");
        Write("a/x/differs", "22");
        Write("a/x.y", "3");
        Write("b/same", "1");
        Write("b/x/differs", "2x");
        Write("b/x.y", "3");
        Directory.CreateDirectory(Path.Combine(_folder.Path, "b/empty"));
        Assert.Equal(["A empty/", "M x/differs"], await DiffAsync(_folder.Path + "/a", _folder.Path + "/b"));
    }

    [Fact]
    public async Task Lines_for_programs_and_for_people()
    {
        var block = await BlockAsync("text");
        var left = await CollectionAsync($". {block} 0:4:a\\012b\n");
        Assert.Equal(["A a\\nb"], await DiffAsync(await CollectionAsync(""), left));
        var output = new StringWriter();
        await foreach (var change in CompareAsync(await CollectionAsync(""), left, true))
        {
            new DiffOutput(output, asJson: true).Write(change);
        }

        Assert.Equal("""{"change":"added","path":"a\nb","size_after":4}""" + "\n", output.ToString());
    }

    private async Task<string> BlockAsync(string text) => (await _store.WriteAsync(Encoding.UTF8.GetBytes(text), BlockWriteOptions.Default, default)).Locator.ToString();

    private async Task<string> CollectionAsync(string manifest) => (await _catalog.CreateCollectionAsync(
        new CollectionChange { Collection = new CollectionWrite { Name = Guid.NewGuid().ToString(), ManifestText = Encoding.UTF8.GetBytes(manifest) } }, default)).Uuid;

    private void Write(string path, string text)
    {
        var full = Path.Combine(_folder.Path, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, text);
    }

    private async Task<List<string>> DiffAsync(string left, string right, bool findsRenames = true)
    {
        var output = new StringWriter();
        var lines = new DiffOutput(output, asJson: false);
        await foreach (var change in CompareAsync(left, right, findsRenames))
        {
            lines.Write(change);
        }

        return [.. output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries)];
    }

    private async IAsyncEnumerable<Change> CompareAsync(string left, string right, bool findsRenames)
    {
        var (a, b) = (await DiffSide.OpenAsync(left, _catalog, _ => { }, default), await DiffSide.OpenAsync(right, _catalog, _ => { }, default));
        await foreach (var change in new TreeDiff(new ContentComparison(_store)).CompareAsync(a.Entries, b.Entries, findsRenames, default))
        {
            yield return change;
        }
    }
}
