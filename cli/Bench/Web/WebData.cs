using System.Globalization;

namespace KeepFs.Cli.Bench.Web;

/// <summary>What is read: one large file, small ones, and folders with many, all of bytes that cannot be compressed or shared.</summary>
internal sealed class WebData(string folder, WebBenchOptions options)
{
    public const string Large = "large", Small = "small";

    /// <summary>Bytes of a small file.</summary>
    public const int SmallBytes = 4096;

    public string Folder => folder;

    /// <summary>Name of a folder with so many files.</summary>
    public static string Listed(int files) => $"list{files.ToString(CultureInfo.InvariantCulture)}";

    /// <summary>Name of a small file.</summary>
    public static string SmallName(int number) => $"file{number.ToString("d6", CultureInfo.InvariantCulture)}.txt";

    public async Task CreateAsync(CancellationToken cancellationToken)
    {
        var random = new Random(1);
        Directory.CreateDirectory(Path.Combine(folder, Small));
        var piece = new byte[1 << 20];
        await using (var large = File.Create(Path.Combine(folder, Large)))
        {
            for (var left = options.FileBytes; left > 0; left -= piece.Length)
            {
                random.NextBytes(piece);
                await large.WriteAsync(piece.AsMemory(0, Math.Min(left, piece.Length)), cancellationToken);
            }
        }

        for (var i = 0; i < options.Files; i++)
        {
            random.NextBytes(piece.AsSpan(0, SmallBytes));
            await File.WriteAllBytesAsync(Path.Combine(folder, Small, SmallName(i)), piece[..SmallBytes], cancellationToken);
        }

        foreach (var count in options.Listed)
        {
            var listed = Directory.CreateDirectory(Path.Combine(folder, Listed(count))).FullName;
            for (var i = 0; i < count; i++)
            {
                await File.WriteAllBytesAsync(Path.Combine(listed, SmallName(i)), BitConverter.GetBytes(i), cancellationToken);
            }
        }
    }
}
