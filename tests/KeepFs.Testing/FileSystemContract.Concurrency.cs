using System.Globalization;
using KeepFs.Engine.FileSystems;

namespace KeepFs.Testing;

/// <summary>Several users at once.</summary>
public abstract partial class FileSystemContract
{
    [Fact]
    public async Task Concurrent_writers_of_different_files_do_not_mix()
    {
        const int Writers = 8;
        const int PieceBytes = 70_000;
        const int Pieces = 10;
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(async writer =>
        {
            await Task.Yield();
            await Ops.CreateFileAsync(At(Name(writer)));
            await using var file = await Ops.OpenAsync(At(Name(writer)), FileAccess.Write);
            for (var i = 0; i < Pieces; i++)
            {
                await file.WriteAsync(i * PieceBytes, Bytes(PieceBytes, (writer * 100) + i));
            }
        }));

        for (var writer = 0; writer < Writers; writer++)
        {
            Assert.Equal(Enumerable.Range(0, Pieces).SelectMany(i => Bytes(PieceBytes, (writer * 100) + i)), await GetAsync(Name(writer)));
        }

        static string Name(int writer) => string.Create(CultureInfo.InvariantCulture, $"f{writer}");
    }

    [Fact]
    public async Task Concurrent_writers_of_one_file_each_keep_their_part()
    {
        const int Writers = 8;
        const int PartBytes = 50_000;
        await Ops.CreateFileAsync(At("f"));
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(async writer =>
        {
            await Task.Yield();
            await using var file = await Ops.OpenAsync(At("f"), FileAccess.Write);
            await file.WriteAsync(writer * PartBytes, Bytes(PartBytes, writer));
        }));

        Assert.Equal(Enumerable.Range(0, Writers).SelectMany(writer => Bytes(PartBytes, writer)), await GetAsync("f"));
    }

    [Fact]
    public async Task Concurrent_creation_of_one_name_succeeds_once()
    {
        const int Attempts = 8;
        var results = await Task.WhenAll(Enumerable.Range(0, Attempts).Select(async _ =>
        {
            await Task.Yield();
            try
            {
                await Ops.CreateFileAsync(At("f"));
                return 1;
            }
            catch (FsException exception) when (exception.Error == FsError.AlreadyExists)
            {
                return 0;
            }
        }));

        Assert.Equal(1, results.Sum());
        Assert.Equal(["f"], await Ops.ListAsync(Here));
    }

    [Fact]
    public async Task Listing_while_others_create_and_remove_shows_what_stays()
    {
        await PutAsync("stays", Bytes(1));
        var churn = Task.Run(async () =>
        {
            for (var i = 0; i < 300; i++)
            {
                await Ops.CreateFileAsync(At("comes and goes"));
                await Ops.RemoveAsync(At("comes and goes"), NodeKind.File);
            }
        });
        do
        {
            Assert.Contains("stays", await Ops.ListAsync(Here));
        }
        while (!churn.IsCompleted);

        await churn;
        Assert.Equal(["stays"], await Ops.ListAsync(Here));
    }
}
