using System.Runtime.InteropServices;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Blocks.Hashing;

namespace KeepFs.Engine.Tests.Blocks.Hashing;

/// <summary>Every width that this machine has against the runtime's MD5. Which those are shows in the names of the tests.</summary>
public sealed class Md5LanesTests
{
    private readonly Random _random = new(20261121);

    public static TheoryData<string> Widths => [.. Enum.GetValues<Md5Width>().Where(Md5Lanes.IsSupported).Select(width => width.ToString())];

    [Theory]
    [MemberData(nameof(Widths))]
    public void Lanes_with_random_lengths_give_the_hashes_of_the_library(string width)
    {
        var lanes = Md5Lanes.LanesOf(Parse(width));
        for (var round = 0; round < 12; round++)
        {
            // Full, and with every number of lanes left empty.
            Check(Parse(width), [.. Enumerable.Range(0, lanes - (round % lanes)).Select(_ => Bytes(_random.Next(200 << 10)))]);
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Lanes_with_every_short_length_give_the_hashes_of_the_library(string width)
    {
        var messages = Enumerable.Range(0, 131).Select(Bytes).ToArray();
        foreach (var group in messages.Chunk(Md5Lanes.LanesOf(Parse(width))))
        {
            Check(Parse(width), group);
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Lanes_do_not_disturb_each_other(string width)
    {
        // Equal but for one bit in one lane: an error in moving words between lanes shows as two equal or two swapped hashes.
        var messages = Enumerable.Range(0, Md5Lanes.LanesOf(Parse(width))).Select(_ => new byte[4096]).ToArray();
        for (var lane = 0; lane < messages.Length; lane++)
        {
            messages[lane][(lane * 64) + (lane * 4 % 64)] = (byte)(1 << (lane % 8));
        }

        Check(Parse(width), messages);
    }

    [Fact]
    public void Any_number_of_messages_is_taken_at_the_best_widths()
    {
        for (var count = 1; count <= 40; count++)
        {
            Assert.True(Md5Lanes.IsSupported(Md5Lanes.Best(count)));
            Check(null, [.. Enumerable.Range(0, count).Select(_ => Bytes(_random.Next(3000)))]);
        }
    }

    [Fact]
    public void A_block_of_the_largest_size_gives_the_hash_of_the_library()
    {
        var large = Bytes(Locator.MaxBlockSizeBytes);
        Check(null, [large, large, large]);
        Check(Md5Width.Scalar, [large]);
    }

    private static Md5Width Parse(string width) => Enum.Parse<Md5Width>(width);

    /// <summary>The whole blocks that all have together in lanes, the rest of each alone.</summary>
    private static void Check(Md5Width? width, byte[][] messages)
    {
        var blocks = messages.Min(message => message.Length) / Md5State.BlockBytes;
        var states = Enumerable.Repeat(Md5State.Initial, messages.Length).ToArray();
        var pins = messages.Select(message => GCHandle.Alloc(message, GCHandleType.Pinned)).ToArray();
        var addresses = pins.Select(pin => pin.AddrOfPinnedObject()).ToArray();
        if (width is { } fixedWidth)
        {
            Md5Lanes.Compress(fixedWidth, addresses, states, blocks);
        }
        else
        {
            Md5Lanes.Compress(addresses, states, blocks);
        }

        for (var i = 0; i < messages.Length; i++)
        {
            pins[i].Free();
            var rest = messages[i].AsSpan(blocks * Md5State.BlockBytes);
            var whole = rest.Length / Md5State.BlockBytes * Md5State.BlockBytes;
            states[i].Append(rest[..whole]);
            Assert.Equal(BlockHash.Compute(messages[i]), states[i].Finish(rest[whole..], messages[i].Length));
        }
    }

    private byte[] Bytes(int length)
    {
        var bytes = new byte[length];
        _random.NextBytes(bytes);
        return bytes;
    }
}
