using System.Security.Cryptography;

namespace KeepFs.Conformance.Tests;

/// <summary>The files that keepstores write, in the layout of keepstore-http.md 11.1: VOLUME/abc/abc....</summary>
internal static class Blocks
{
    public const int HashLength = 32;

    public static int CountAll(KeepFsProcess cluster) => cluster.Volumes.Sum(volume => Directory.EnumerateFiles(volume, "*", SearchOption.AllDirectories).Count());

    public static string Hash(ReadOnlySpan<byte> data) => Convert.ToHexStringLower(MD5.HashData(data));

    public static string PathOf(string volume, string hash) => Path.Combine(volume, hash[..3], hash);

    /// <summary>Changes one byte in the middle.</summary>
    public static void Corrupt(string volume, string hash)
    {
        var path = PathOf(volume, hash);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        using var file = File.Open(path, FileMode.Open, FileAccess.ReadWrite);
        file.Position = file.Length / 2;
        var changed = (byte)(file.ReadByte() ^ 0x55);
        file.Position = file.Length / 2;
        file.WriteByte(changed);
    }
}
