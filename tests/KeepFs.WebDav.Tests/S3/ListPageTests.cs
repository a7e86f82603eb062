using System.Text;
using FsCheck;
using FsCheck.Fluent;
using KeepFs.Engine.Catalog;
using KeepFs.Engine.Manifests;
using KeepFs.WebDav.S3.Listing;

namespace KeepFs.WebDav.Tests.S3;

/// <summary>Listings against the obvious way to make them: all keys, sorted by their bytes, looked at one by one.</summary>
public sealed class ListPageTests
{
    /// <summary>Names on both sides of the slash in the order of bytes, one a beginning of another, some of several bytes.</summary>
    private static readonly string[] Names = ["a", "a-", "a-b", "a.b", "a0", "ab", "b", "ü", "日", "!", "z"];

    [Fact]
    public void Every_page_is_what_looking_at_every_key_gives()
    {
        var path = Gen.Elements(Names).ListOf().Where(names => names.Count is > 0 and < 5).Select(names => string.Join('/', names));
        var text = Gen.Elements(Names.Concat(["", "/", "a/", "a-b/", "a/a/", "a/b", "ab/ü/", "zz", "日/"]));
        var gen = from paths in path.ListOf()
                  from prefix in text
                  from delimiter in Gen.Elements("", "/", "a", "-b", "ü", "//")
                  from after in text
                  from limit in Gen.Choose(1, 8)
                  from hasFolders in Gen.Elements(true, false)
                  from inProject in Gen.Elements(true, false)
                  select (paths, prefix, delimiter, after, limit, hasFolders, inProject);
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(3000),
            Prop.ForAll(gen.ToArbitrary(), c =>
            {
                var (keys, cursor) = Bucket(c.paths, c.hasFolders, c.inProject);
                var expected = Naive(keys, c.prefix, c.delimiter, c.after);
                var (seen, after) = (new List<string>(), c.after);
                while (true)
                {
                    var page = ListPage.ReadAsync(cursor(), c.prefix, c.delimiter, after, c.limit, default).GetAwaiter().GetResult();
                    var got = page.Contents.Select(entry => entry.Key).Concat(page.CommonPrefixes).Order(Utf8Order.Instance).ToList();
                    Assert.True(got.Count <= c.limit && page.IsTruncated == (got.Count < expected.Count - seen.Count) && (!page.IsTruncated || got.Count == c.limit));
                    seen.AddRange(got);
                    if (!page.IsTruncated)
                    {
                        break;
                    }

                    after = page.Last;
                    Assert.Equal(got[^1], after);
                }

                Assert.Equal(expected, seen);
            }));
    }

    [Fact]
    public async Task Seek_finds_any_key_and_the_place_of_those_that_are_not_there()
    {
        var (keys, cursor) = Bucket(["a/b/c", "a-b/x", "a.b", "a0", "ab/c", "a/b-/c"], hasFolders: true, inProject: false);
        foreach (var text in keys.Concat(["", "a", "a/", "a/b/d", "b", "a/b", "a-", "a/b/c\0"]))
        {
            var walk = cursor();
            var expected = keys.FirstOrDefault(key => Utf8Order.Instance.Compare(key, text) >= 0);
            Assert.Equal(expected is not null, await walk.SeekAsync(Encoding.UTF8.GetBytes(text), default));
            if (expected is not null)
            {
                Assert.Equal(expected, Encoding.UTF8.GetString(walk.Key));
            }
        }
    }

    private static List<string> Naive(IReadOnlyList<string> keys, string prefix, string delimiter, string after)
    {
        var result = new List<string>();
        foreach (var key in keys.Where(key => key.StartsWith(prefix, StringComparison.Ordinal) && Utf8Order.Instance.Compare(key, after) > 0))
        {
            var at = delimiter.Length == 0 ? -1 : key.IndexOf(delimiter, prefix.Length, StringComparison.Ordinal);
            var shown = at < 0 ? key : key[..(at + delimiter.Length)];
            if ((result.Count == 0 || result[^1] != shown) && (at < 0 || shown != after))
            {
                result.Add(shown);
            }
        }

        return result;
    }

    /// <summary>A bucket of those paths; what would be both file and directory is left out. In a project, the first component is a collection.</summary>
    private static (IReadOnlyList<string> Keys, Func<KeyCursor> Cursor) Bucket(IEnumerable<string> paths, bool hasFolders, bool inProject)
    {
        var tree = new ManifestTree();
        foreach (var path in paths.Select(path => inProject ? path + "/f" : path))
        {
            var parents = Enumerable.Range(0, path.Length).Where(i => path[i] == '/').Select(i => tree.Find(path[..i]));
            if (tree.Find(path) is null && !parents.Any(parent => parent is ManifestFile))
            {
                tree.Put(path, new ManifestFile([]));
            }
        }

        var keys = tree.Walk().Select(entry => entry.Node is ManifestDirectory ? entry.Path + "/" : entry.Path).Where(key => hasFolders || !key.EndsWith('/'))
            .Order(Utf8Order.Instance).ToList();
        if (!inProject)
        {
            return (keys, () => KeysOf(tree.ToManifest(), hasFolders));
        }

        var items = tree.Root.Entries.Keys.ToDictionary(name => name, name => new ProjectItem { Uuid = name, Kind = "arvados#collection", Name = name });
        return (keys, () => new ProjectKeys(
            _ => Task.FromResult<IEnumerable<KeyValuePair<string, ProjectItem>>>(items),
            (item, _) =>
            {
                var part = new ManifestTree();
                part.Put("", tree.Find(item.Name!)!);
                return ValueTask.FromResult<KeyCursor?>(KeysOf(part.ToManifest(), hasFolders));
            },
            hasFolders));
    }

    private static CollectionKeys KeysOf(byte[] manifest, bool hasFolders)
    {
        var index = ManifestIndex.Parse(manifest);
        return new CollectionKeys(index, new KeyOrder(index), DateTimeOffset.UnixEpoch, hasFolders);
    }
}
