using System.Text;
using FsCheck;
using FsCheck.Fluent;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Manifests;
using static KeepFs.Engine.Tests.Manifests.ManifestVectors;

namespace KeepFs.Engine.Tests.Manifests;

public sealed class ManifestTests
{
    [Theory]
    [MemberData(nameof(ManifestVectors.Valid), MemberType = typeof(ManifestVectors))]
    public void Valid_manifest_has_the_hash_and_normal_form_of_the_specification(string manifest, string? pdh, string? normal, string? normalPdh)
    {
        Assert.Null(ManifestValidator.Validate(Utf8(manifest)));
        if (pdh is not null)
        {
            Assert.Equal(pdh, PortableDataHash.Compute(Utf8(manifest)));
        }

        var written = ManifestTree.Load(Utf8(manifest)).ToManifest();
        Assert.Equal(normal ?? manifest, Encoding.UTF8.GetString(written));
        Assert.Equal(normalPdh ?? PortableDataHash.Compute(Utf8(manifest)), PortableDataHash.Compute(written));
    }

    [Theory]
    [MemberData(nameof(ManifestVectors.Valid), MemberType = typeof(ManifestVectors))]
    public void Normalising_a_changed_tree_equals_normalising_the_text(string manifest, string? pdh, string? normal, string? normalPdh)
    {
        _ = (pdh, normalPdh);
        var tree = ManifestTree.Load(Utf8(manifest));
        tree.Put("/zz/new", new ManifestFile([]));
        tree.Remove("/zz");
        Assert.Equal(normal ?? manifest, Encoding.UTF8.GetString(tree.ToManifest()));
    }

    [Theory]
    [MemberData(nameof(ManifestVectors.Invalid), MemberType = typeof(ManifestVectors))]
    public void Invalid_manifest_is_refused(string manifest, bool passesValidator)
    {
        Assert.Equal(passesValidator, ManifestValidator.Validate(Utf8(manifest)) is null);
        Assert.Throws<ManifestException>(() => ManifestIndex.Parse(Utf8(manifest)));
    }

    [Theory]
    [MemberData(nameof(ManifestVectors.ValidAlthoughOdd), MemberType = typeof(ManifestVectors))]
    public void Odd_manifest_is_accepted(string manifest)
    {
        Assert.Null(ManifestValidator.Validate(Utf8(manifest)));
        Assert.Equal(1, ManifestIndex.Parse(Utf8(manifest)).FileCount);
    }

    [Theory]
    [InlineData("x", "Invalid manifest: does not end with newline")]
    [InlineData("\n", "Manifest invalid for stream 1: missing stream name")]
    [InlineData(". x\n", "Manifest invalid for stream 1: missing or invalid locator")]
    [InlineData(". d41d8cd98f00b204e9800998ecf8427e+0 0:0:a\n. d41d8cd98f00b204e9800998ecf8427e+0\n", "Manifest invalid for stream 2: no file tokens")]
    [InlineData(". d41d8cd98f00b204e9800998ecf8427e+0 0:0:a \n", "Manifest invalid for stream 1: trailing space")]
    [InlineData(".\\444 d41d8cd98f00b204e9800998ecf8427e+0 0:0:a\n", "Manifest invalid for stream 1: >8-bit encoded chars not allowed on stream token")]
    [InlineData(". d41d8cd98f00b204e9800998ecf8427e+0 0:0:a\\400\n", "Manifest invalid for stream 1: >8-bit encoded chars not allowed on file token")]
    public void Failure_text_is_the_one_of_the_specification(string manifest, string expected) =>
        Assert.StartsWith(expected, ManifestValidator.Validate(Utf8(manifest)), StringComparison.Ordinal);

    [Fact]
    public void Placeholders_inside_names_are_read_as_directories_but_not_saved()
    {
        const string manifest = ". d41d8cd98f00b204e9800998ecf8427e+0 0:0:foo/. 0:0:. 0:0:foo\\057bar\\057\\056\n";
        var written = ManifestTree.Load(Utf8(manifest)).ToManifest();
        Assert.Equal("./foo/bar d41d8cd98f00b204e9800998ecf8427e+0 0:0:\\056\n", Encoding.UTF8.GetString(written));
        Assert.Equal("146a78e7974d4585913e4b3269476f7e+54", PortableDataHash.Compute(written));
        Assert.NotNull(ManifestValidator.Validate(Utf8(manifest)));
    }

    [Fact]
    public void Bytes_that_are_not_utf8_are_refused() =>
        Assert.Equal("Invalid manifest: must use UTF-8 encoding", ManifestValidator.Validate([.. ". d41d8cd98f00b204e9800998ecf8427e+0 0:0:\xff\n".Select(c => (byte)c)]));

    [Fact]
    public void A_path_of_absurd_depth_is_refused_without_exhausting_the_stack() =>
        Assert.Throws<ManifestException>(() => ManifestIndex.Parse(Utf8($". d41d8cd98f00b204e9800998ecf8427e+0 0:0:{string.Join('/', Enumerable.Repeat("a", 100_000))}\n")));

    [Fact]
    public void Files_resolve_to_parts_of_blocks()
    {
        var index = ManifestIndex.Parse(Utf8(". acbd18db4cc2f85cedef654fccc4a4d8+3 37b51d194a7513e45b56f6524f2d51f2+3 3:3:b\\072c 1:4:a\\134b 0:0:e\n"));
        Assert.Equal("bar", Content(index, "b:c"));
        Assert.Equal("ooba", Content(index, "a\\b"));
        Assert.Equal("", Content(index, "e"));

        var repeated = ManifestIndex.Parse(Utf8(". acbd18db4cc2f85cedef654fccc4a4d8+3 0:3:foo.txt 1:0:bar.txt 0:3:foo.txt\n"));
        Assert.Equal("foofoo", Content(repeated, "foo.txt"));
        Assert.Equal("", Content(repeated, "bar.txt"));

        static string Content(ManifestIndex index, string name) => string.Concat(index.SegmentsOf(index.FindFile(ManifestIndex.Root, Utf8(name)))
            .Select(s => (s.Locator.Hash.ToString()[0] == 'a' ? "foo" : "bar").Substring(s.Offset, s.Length)));
    }

    [Fact]
    public void Names_come_in_utf8_order_not_utf16_order()
    {
        const string above = "\U0001F600", below = "\uFF5E";
        var tree = new ManifestTree();
        tree.Put(above, new ManifestFile([]));
        tree.Put(below, new ManifestFile([]));
        Assert.Equal($". d41d8cd98f00b204e9800998ecf8427e+0 0:0:{below} 0:0:{above}\n", Encoding.UTF8.GetString(tree.ToManifest()));
    }

    [Fact]
    public void Parsing_what_was_written_gives_the_same_tree()
    {
        var names = Gen.Elements("a", "b c", "a:b", "ü", "\\", "x\ny", "\U0001F600", "...", "\u007f", "d");
        var paths = names.NonEmptyListOf().Select(list => string.Join('/', list.Take(4)));
        var size = Gen.Choose(0, 5);
        var entries = Gen.Zip(paths, size).ListOf().Select(list => list.Take(40).ToList());
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(300),
            Prop.ForAll(entries.ToArbitrary(), list =>
            {
                var tree = new ManifestTree();
                foreach (var (path, bytes) in list)
                {
                    try
                    {
                        tree.Put(path, new ManifestFile([.. Enumerable.Range(1, bytes).Select(i => Piece(path, i))]));
                    }
                    catch (ManifestException)
                    {
                        // A random path may pass through a random file.
                    }
                }

                var text = tree.ToManifest();
                var again = ManifestTree.Load(text);
                Assert.Equal(Shape(tree), Shape(again));
                Assert.Equal(text, again.ToManifest());
            }));
    }

    [Fact]
    public void Random_damage_never_makes_the_reader_fail_otherwise_than_with_its_own_error()
    {
        const string alphabet = " \n:./\\+0179Aa\0\xff";
        var random = new Random(20261121);
        var seeds = ManifestVectors.Valid.Select(row => Utf8((string)row[0])).Where(text => text.Length > 0).ToArray();
        for (var i = 0; i < 20_000; i++)
        {
            var text = seeds[random.Next(seeds.Length)].ToArray();
            for (var n = random.Next(1, 4); n > 0; n--)
            {
                text[random.Next(text.Length)] = (byte)alphabet[random.Next(alphabet.Length)];
            }

            try
            {
                var index = ManifestIndex.Parse(text);
                Assert.Equal(index.TotalBytes, Enumerable.Range(0, index.FileCount).Sum(file => index.SegmentsOf(file).Sum(s => (long)s.Length)));
            }
            catch (ManifestException)
            {
                // The only way in which it may fail.
            }

            PortableDataHash.Compute(text);
            ManifestSigner.Strip(text);
        }
    }

    private static ManifestSegment Piece(string path, int i) =>
        new(new Locator(BlockHash.Compute(Utf8($"{path.Length}{i % 3}")), 100), i * 7 % 90, i);

    private static List<string> Shape(ManifestTree tree) =>
        [.. tree.Walk().Select(entry => entry.Node is ManifestFile file ? $"{entry.Path} {string.Join(',', file.Segments)}" : $"{entry.Path}/")];
}
