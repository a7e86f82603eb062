using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace KeepFs.Engine.Blocks.Hashing;

/// <summary>
/// MD5 over several messages at once. One message is a chain of dependent instructions that leaves most of a core idle; independent
/// ones fill it. Pure functions; safe from any thread.
/// </summary>
/// <remarks>
/// Speeds of one thread on an AMD EPYC (Zen 4, two virtual cores, .NET 10), by tests/KeepFs.Benchmarks, as ratios to MD5.HashData at 0.76 GB/s:
/// Scalar 1.0, Pair 1.8, Vector128 3.4 (2.7 with AVX-512 switched off), Vector256 6.4 (5.1), Ternary256 7.1, Vector512 11.4.
/// An empty lane costs as much as a full one: eight messages in a Vector512 would reach 5.7.
/// </remarks>
internal static unsafe class Md5Lanes
{
    /// <summary>The most messages that one call takes.</summary>
    public const int MaxLanes = 16;

    private const int StateWords = 4;

    /// <summary>Messages that a width takes at once.</summary>
    public static int LanesOf(Md5Width width) => width switch
    {
        Md5Width.Scalar => 1,
        Md5Width.Pair => 2,
        Md5Width.Vector128 => 4,
        Md5Width.Vector256 or Md5Width.Ternary256 => 8,
        _ => MaxLanes,
    };

    /// <summary>Whether this machine has the instructions.</summary>
    public static bool IsSupported(Md5Width width) => width switch
    {
        Md5Width.Scalar or Md5Width.Pair => true,
        Md5Width.Vector128 => BitConverter.IsLittleEndian && Vector128.IsHardwareAccelerated,
        Md5Width.Vector256 => Avx2.IsSupported,
        Md5Width.Ternary256 => Avx512F.VL.IsSupported,
        _ => Avx512F.IsSupported,
    };

    /// <summary>The fastest width for the first of so many messages; it may take fewer than there are.</summary>
    public static Md5Width Best(int messages) => messages switch
    {
        1 => Md5Width.Scalar,
        2 => Md5Width.Pair,

        // Not merely supported: some machines slow down all their work for 512-bit vectors.
        > 8 when Vector512.IsHardwareAccelerated && Avx512F.IsSupported => Md5Width.Vector512,
        _ when Avx512F.VL.IsSupported => Md5Width.Ternary256,
        _ when Avx2.IsSupported => Md5Width.Vector256,
        _ when IsSupported(Md5Width.Vector128) => Md5Width.Vector128,
        _ => Md5Width.Pair,
    };

    /// <summary>Adds the next blocks of every message to its state, at the best widths for their number.</summary>
    /// <param name="messages">Addresses, one for each state.</param>
    /// <param name="states">Of the messages.</param>
    /// <param name="blocks">64-byte blocks that lie behind every address.</param>
    public static void Compress(ReadOnlySpan<nint> messages, Span<Md5State> states, int blocks)
    {
        while (states.Length > 0)
        {
            var width = Best(states.Length);
            var count = Math.Min(states.Length, LanesOf(width));
            Compress(width, messages[..count], states[..count], blocks);
            messages = messages[count..];
            states = states[count..];
        }
    }

    /// <summary>Adds the next blocks of every message to its state, with a given width.</summary>
    /// <param name="width">Must be supported.</param>
    /// <param name="messages">One to <see cref="LanesOf"/> addresses; lanes without a message repeat the first, for nothing.</param>
    /// <param name="states">As many.</param>
    /// <param name="blocks">64-byte blocks that lie behind every address.</param>
    public static void Compress(Md5Width width, ReadOnlySpan<nint> messages, Span<Md5State> states, int blocks)
    {
        var lanes = LanesOf(width);
        ArgumentOutOfRangeException.ThrowIfZero(messages.Length, nameof(messages));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(messages.Length, lanes, nameof(messages));
        ArgumentOutOfRangeException.ThrowIfNotEqual(states.Length, messages.Length, nameof(states));
        var addresses = stackalloc byte*[MaxLanes];
        for (var lane = 0; lane < lanes; lane++)
        {
            addresses[lane] = (byte*)messages[lane < messages.Length ? lane : 0];
        }

        switch (width)
        {
            case Md5Width.Pair:
                var unused = states[0];
                Md5Pair.Compress(addresses, ref states[0], ref states.Length > 1 ? ref states[1] : ref unused, blocks);
                break;
            case Md5Width.Scalar:
                Run<Md5Scalar, uint>(addresses, states, blocks);
                break;
            case Md5Width.Vector128:
                Run<Md5Vector128, Vector128<uint>>(addresses, states, blocks);
                break;
            case Md5Width.Vector256:
                Run<Md5Vector256, Vector256<uint>>(addresses, states, blocks);
                break;
            case Md5Width.Ternary256:
                Run<Md5Ternary256, Vector256<uint>>(addresses, states, blocks);
                break;
            default:
                Run<Md5Vector512, Vector512<uint>>(addresses, states, blocks);
                break;
        }
    }

    private static void Run<TArithmetic, TVector>(byte** messages, Span<Md5State> states, int blocks)
        where TArithmetic : struct, IMd5Arithmetic<TVector>
        where TVector : unmanaged
    {
        // From a state per message to a register per state word, and back.
        var vectors = stackalloc TVector[StateWords];
        var lanes = sizeof(TVector) / sizeof(uint);
        var words = (uint*)vectors;
        for (var lane = 0; lane < lanes; lane++)
        {
            ref readonly var state = ref states[lane < states.Length ? lane : 0];
            (words[lane], words[lanes + lane], words[(2 * lanes) + lane], words[(3 * lanes) + lane]) = (state.A, state.B, state.C, state.D);
        }

        Md5Kernel<TArithmetic, TVector>.Compress(messages, vectors, blocks);
        for (var lane = 0; lane < states.Length; lane++)
        {
            states[lane] = new Md5State { A = words[lane], B = words[lanes + lane], C = words[(2 * lanes) + lane], D = words[(3 * lanes) + lane] };
        }
    }
}
