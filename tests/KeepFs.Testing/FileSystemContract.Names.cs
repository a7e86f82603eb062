using System.Globalization;
using KeepFs.Engine.FileSystems;

namespace KeepFs.Testing;

/// <summary>Directories, listing, names, removing.</summary>
public abstract partial class FileSystemContract
{
    [Fact]
    public async Task Missing_names_are_not_found()
    {
        Assert.Null(await Ops.StatAsync(At("nothing")));
        await FailsAsync(FsError.NotFound, () => Ops.OpenAsync(At("nothing"), FileAccess.Read));
        await FailsAsync(FsError.NotFound, () => Ops.RemoveAsync(At("nothing"), NodeKind.File));
        await FailsAsync(FsError.NotFound, () => Ops.RemoveAsync(At("nothing"), NodeKind.Directory));
        await FailsAsync(FsError.NotFound, () => Ops.RenameAsync(At("nothing"), At("else")));
        await FailsAsync(FsError.NotFound, () => Ops.CreateFileAsync(At("nothing/f")));
    }

    [Fact]
    public async Task Create_of_a_taken_name_is_an_error()
    {
        await PutAsync("f", Bytes(3));
        await Ops.CreateDirectoryAsync(At("d"));

        await FailsAsync(FsError.AlreadyExists, () => Ops.CreateFileAsync(At("f")));
        await FailsAsync(FsError.AlreadyExists, () => Ops.CreateFileAsync(At("d")));
        await FailsAsync(FsError.AlreadyExists, () => Ops.CreateDirectoryAsync(At("f")));
        await FailsAsync(FsError.AlreadyExists, () => Ops.CreateDirectoryAsync(At("d")));
        Assert.Equal(Bytes(3), await GetAsync("f"));
    }

    [Fact]
    public async Task File_is_no_directory_on_the_way()
    {
        await PutAsync("f", Bytes(3));

        await FailsAsync(FsError.NotADirectory, () => Ops.CreateFileAsync(At("f/g")));
        await FailsAsync(FsError.NotADirectory, () => Ops.ListAsync(At("f")));
    }

    [Fact]
    public async Task Directory_is_seen_and_removed()
    {
        await Ops.CreateDirectoryAsync(At("d"));
        Assert.Equal(NodeKind.Directory, (await Ops.StatAsync(At("d")))!.Kind);
        Assert.Empty(await Ops.ListAsync(At("d")));

        await Ops.RemoveAsync(At("d"), NodeKind.Directory);

        Assert.Null(await Ops.StatAsync(At("d")));
        Assert.Empty(await Ops.ListAsync(Here));
    }

    [Fact]
    public async Task Remove_wants_the_right_kind_and_an_empty_directory()
    {
        await Ops.CreateDirectoryAsync(At("d"));
        await PutAsync("d/f", Bytes(3));

        await FailsAsync(FsError.NotEmpty, () => Ops.RemoveAsync(At("d"), NodeKind.Directory));
        await FailsAsync(FsError.NotADirectory, () => Ops.RemoveAsync(At("d/f"), NodeKind.Directory));
        await FailsAsync(FsError.IsADirectory, () => Ops.RemoveAsync(At("d"), NodeKind.File));
        Assert.Equal(Bytes(3), await GetAsync("d/f"));

        await Ops.RemoveAsync(At("d/f"), NodeKind.File);
        await Ops.RemoveAsync(At("d"), NodeKind.Directory);
        Assert.Null(await Ops.StatAsync(At("d")));
    }

    [Fact]
    public async Task Removed_file_goes_on_for_its_open_handle_only()
    {
        await PutAsync("f", Bytes(1000));
        await using (var file = await Ops.OpenAsync(At("f"), FileAccess.ReadWrite))
        {
            await Ops.RemoveAsync(At("f"), NodeKind.File);
            Assert.Null(await Ops.StatAsync(At("f")));

            await file.WriteAsync(1000, Bytes(10, 2));
            Assert.Equal(Join(Bytes(1000), Bytes(10, 2)), await file.ReadAsync(0, 2000));
            await PutAsync("f", Bytes(5, 3));
            Assert.Equal(1010, (await file.ReadAsync(0, 2000)).Length);
        }

        Assert.Equal(Bytes(5, 3), await GetAsync("f"));
    }

    [Theory]
    [InlineData(" leading and trailing ")]
    [InlineData("quotes \" ' ` and $HOME; *?[x]")]
    [InlineData("line\nbreak\tand\rothers")]
    [InlineData("back\\slash")]
    [InlineData("-rf")]
    [InlineData("...")]
    [InlineData("Grüße, 世界 🌍 e\u0301")]
    [InlineData(":colon#hash%20percent")]
    public async Task Odd_names_work_for_files_and_directories(string name)
    {
        await PutAsync(name, Bytes(10));
        await Ops.CreateDirectoryAsync(At("d"));
        await Ops.CreateDirectoryAsync(At("d/" + name));
        await PutAsync($"d/{name}/{name}", Bytes(20));

        Assert.Equal(new[] { name, "d" }.Order(), (await Ops.ListAsync(Here)).Order());
        Assert.Equal([name], await Ops.ListAsync(At("d/" + name)));
        Assert.Equal(Bytes(10), await GetAsync(name));
        await Ops.RenameAsync(At($"d/{name}/{name}"), At(name));
        Assert.Equal(Bytes(20), await GetAsync(name));
        await Ops.RemoveAsync(At(name), NodeKind.File);
        await Ops.RemoveAsync(At("d/" + name), NodeKind.Directory);
        Assert.Equal(["d"], await Ops.ListAsync(Here));
    }

    [Fact]
    public async Task Names_that_differ_only_in_case_or_normalisation_are_different()
    {
        string[] names = ["a", "A", "\u00e9", "e\u0301"];
        for (var i = 0; i < names.Length; i++)
        {
            await PutAsync(names[i], Bytes(i + 1));
        }

        for (var i = 0; i < names.Length; i++)
        {
            Assert.Equal(Bytes(i + 1), await GetAsync(names[i]));
        }
    }

    [Theory]
    [InlineData("a", 255)]
    [InlineData("ü", 127)]
    public async Task Name_of_255_bytes_works_and_a_longer_one_is_too_long(string letter, int count)
    {
        var longest = string.Concat(Enumerable.Repeat(letter, count));
        var tooLong = longest + letter;
        await PutAsync(longest, Bytes(10));

        Assert.Equal([longest], await Ops.ListAsync(Here));
        Assert.Equal(Bytes(10), await GetAsync(longest));
        await FailsAsync(FsError.NameTooLong, () => Ops.CreateFileAsync(At(tooLong)));
        await FailsAsync(FsError.NameTooLong, () => Ops.CreateDirectoryAsync(At(tooLong)));
        await FailsAsync(FsError.NameTooLong, () => Ops.RenameAsync(At(longest), At(tooLong)));
    }

    [Fact]
    public async Task Listing_of_10000_entries_is_complete()
    {
        const int Count = 10_000;
        var names = Enumerable.Range(0, Count).Select(i => string.Create(CultureInfo.InvariantCulture, $"entry {i} {new string('x', i % 60)}")).ToList();
        foreach (var name in names)
        {
            await Ops.CreateFileAsync(At(name));
        }

        var listed = await Ops.ListAsync(Here);

        Assert.Equal(Count, listed.Count);
        Assert.Equal(names.Order(StringComparer.Ordinal), listed.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Listing_follows_each_change()
    {
        await Ops.CreateFileAsync(At("a"));
        Assert.Equal(["a"], await Ops.ListAsync(Here));
        await Ops.CreateDirectoryAsync(At("b"));
        Assert.Equal(["a", "b"], (await Ops.ListAsync(Here)).Order());
        await Ops.RenameAsync(At("a"), At("b/c"));
        Assert.Equal(["b"], await Ops.ListAsync(Here));
        Assert.Equal(["c"], await Ops.ListAsync(At("b")));
        await Ops.RemoveAsync(At("b/c"), NodeKind.File);
        Assert.Empty(await Ops.ListAsync(At("b")));
    }

    [Fact]
    public async Task Path_of_200_directories_works()
    {
        var path = string.Empty;
        for (var i = 0; i < 200; i++)
        {
            path += i == 0 ? "d" : "/d";
            await Ops.CreateDirectoryAsync(At(path));
        }

        await PutAsync(path + "/f", Bytes(100));
        Assert.Equal(Bytes(100), await GetAsync(path + "/f"));

        await Ops.RemoveAsync(At(path + "/f"), NodeKind.File);
        for (; path.Length > 0; path = path.Length > 1 ? path[..^2] : string.Empty)
        {
            await Ops.RemoveAsync(At(path), NodeKind.Directory);
        }

        Assert.Empty(await Ops.ListAsync(Here));
    }
}
