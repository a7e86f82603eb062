using KeepFs.Engine.Blocks;
using KeepFs.Testing.Volumes;

namespace KeepFs.Engine.Tests.Blocks;

public sealed class DirectWriteTests : IDisposable
{
    private const int Page = 4096;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 0)]
    [InlineData(DirectWrite.MinBytes - 1, 0)]
    [InlineData(DirectWrite.MinBytes, 0)]
    [InlineData(DirectWrite.MinBytes + 1, 0)]
    [InlineData((3 << 20) - 1, 0)]
    [InlineData((2 << 20) + Page, 0)]
    [InlineData((2 << 20) + 511, 1)]
    [InlineData(3 << 20, 512)]
    public void File_holds_all_bytes_whatever_their_number_and_address(int length, int shift)
    {
        // On a disk, and on a file system that has nothing but the cache.
        foreach (var folder in new[] { _folder.Path, "/dev/shm" })
        {
            using var memory = new AlignedMemory(length + shift);
            var bytes = memory.Span[shift..(shift + length)];
            new Random(length).NextBytes(bytes);
            var path = Path.Join(folder, $"keepfs-direct-{Guid.NewGuid()}");
            try
            {
                using (var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.ReadWrite))
                {
                    DirectWrite.Write(file, bytes);

                    // The handle is as it was: an ordinary write at any place goes on working.
                    RandomAccess.Write(file, "end"u8, length);
                }

                var found = File.ReadAllBytes(path);
                Assert.True(found.AsSpan(0, length).SequenceEqual(bytes));
                Assert.Equal("end"u8.ToArray(), found[length..]);
            }
            finally
            {
                File.Delete(path);
            }
        }
    }

    private sealed unsafe class AlignedMemory(int bytes) : IDisposable
    {
        private readonly void* _start = System.Runtime.InteropServices.NativeMemory.AlignedAlloc((nuint)bytes + 1, Page);

        public Span<byte> Span => new(_start, bytes);

        public void Dispose() => System.Runtime.InteropServices.NativeMemory.AlignedFree(_start);
    }
}
