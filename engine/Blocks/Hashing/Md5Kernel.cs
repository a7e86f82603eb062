using System.Runtime.CompilerServices;

namespace KeepFs.Engine.Blocks.Hashing;

/// <summary>
/// MD5's compression of many blocks, for every width of register. The steps are written out because their constants must be
/// immediates of the instructions; the type arguments are structs, so that each width is compiled for itself.
/// </summary>
internal static unsafe class Md5Kernel<TArithmetic, TVector>
    where TArithmetic : struct, IMd5Arithmetic<TVector>
    where TVector : unmanaged
{
    private const int BlockWords = 16;
    private const int CacheLineBytes = 64;

    /// <summary>Adds <paramref name="blocks"/> blocks of 64 bytes of each message to its state.</summary>
    /// <param name="messages">As many as the register has lanes.</param>
    /// <param name="state">Four registers: a, b, c, d of every message.</param>
    /// <param name="blocks">At least as many must lie behind each pointer.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Compress(byte** messages, TVector* state, int blocks)
    {
        var raw = stackalloc byte[(BlockWords * sizeof(TVector)) + CacheLineBytes];
        var scratch = (TVector*)(((nint)raw + CacheLineBytes - 1) & -CacheLineBytes);
        var (a, b, c, d) = (state[0], state[1], state[2], state[3]);
        for (nint offset = 0; blocks > 0; blocks--, offset += BlockWords * sizeof(uint))
        {
            var m = TArithmetic.Block(messages, offset, scratch);
            var (a0, b0, c0, d0) = (a, b, c, d);
            a = TArithmetic.F(a, b, c, d, m[0], 0xd76aa478, 7);
            d = TArithmetic.F(d, a, b, c, m[1], 0xe8c7b756, 12);
            c = TArithmetic.F(c, d, a, b, m[2], 0x242070db, 17);
            b = TArithmetic.F(b, c, d, a, m[3], 0xc1bdceee, 22);
            a = TArithmetic.F(a, b, c, d, m[4], 0xf57c0faf, 7);
            d = TArithmetic.F(d, a, b, c, m[5], 0x4787c62a, 12);
            c = TArithmetic.F(c, d, a, b, m[6], 0xa8304613, 17);
            b = TArithmetic.F(b, c, d, a, m[7], 0xfd469501, 22);
            a = TArithmetic.F(a, b, c, d, m[8], 0x698098d8, 7);
            d = TArithmetic.F(d, a, b, c, m[9], 0x8b44f7af, 12);
            c = TArithmetic.F(c, d, a, b, m[10], 0xffff5bb1, 17);
            b = TArithmetic.F(b, c, d, a, m[11], 0x895cd7be, 22);
            a = TArithmetic.F(a, b, c, d, m[12], 0x6b901122, 7);
            d = TArithmetic.F(d, a, b, c, m[13], 0xfd987193, 12);
            c = TArithmetic.F(c, d, a, b, m[14], 0xa679438e, 17);
            b = TArithmetic.F(b, c, d, a, m[15], 0x49b40821, 22);

            a = TArithmetic.G(a, b, c, d, m[1], 0xf61e2562, 5);
            d = TArithmetic.G(d, a, b, c, m[6], 0xc040b340, 9);
            c = TArithmetic.G(c, d, a, b, m[11], 0x265e5a51, 14);
            b = TArithmetic.G(b, c, d, a, m[0], 0xe9b6c7aa, 20);
            a = TArithmetic.G(a, b, c, d, m[5], 0xd62f105d, 5);
            d = TArithmetic.G(d, a, b, c, m[10], 0x02441453, 9);
            c = TArithmetic.G(c, d, a, b, m[15], 0xd8a1e681, 14);
            b = TArithmetic.G(b, c, d, a, m[4], 0xe7d3fbc8, 20);
            a = TArithmetic.G(a, b, c, d, m[9], 0x21e1cde6, 5);
            d = TArithmetic.G(d, a, b, c, m[14], 0xc33707d6, 9);
            c = TArithmetic.G(c, d, a, b, m[3], 0xf4d50d87, 14);
            b = TArithmetic.G(b, c, d, a, m[8], 0x455a14ed, 20);
            a = TArithmetic.G(a, b, c, d, m[13], 0xa9e3e905, 5);
            d = TArithmetic.G(d, a, b, c, m[2], 0xfcefa3f8, 9);
            c = TArithmetic.G(c, d, a, b, m[7], 0x676f02d9, 14);
            b = TArithmetic.G(b, c, d, a, m[12], 0x8d2a4c8a, 20);

            a = TArithmetic.H(a, b, c, d, m[5], 0xfffa3942, 4);
            d = TArithmetic.H(d, a, b, c, m[8], 0x8771f681, 11);
            c = TArithmetic.H(c, d, a, b, m[11], 0x6d9d6122, 16);
            b = TArithmetic.H(b, c, d, a, m[14], 0xfde5380c, 23);
            a = TArithmetic.H(a, b, c, d, m[1], 0xa4beea44, 4);
            d = TArithmetic.H(d, a, b, c, m[4], 0x4bdecfa9, 11);
            c = TArithmetic.H(c, d, a, b, m[7], 0xf6bb4b60, 16);
            b = TArithmetic.H(b, c, d, a, m[10], 0xbebfbc70, 23);
            a = TArithmetic.H(a, b, c, d, m[13], 0x289b7ec6, 4);
            d = TArithmetic.H(d, a, b, c, m[0], 0xeaa127fa, 11);
            c = TArithmetic.H(c, d, a, b, m[3], 0xd4ef3085, 16);
            b = TArithmetic.H(b, c, d, a, m[6], 0x04881d05, 23);
            a = TArithmetic.H(a, b, c, d, m[9], 0xd9d4d039, 4);
            d = TArithmetic.H(d, a, b, c, m[12], 0xe6db99e5, 11);
            c = TArithmetic.H(c, d, a, b, m[15], 0x1fa27cf8, 16);
            b = TArithmetic.H(b, c, d, a, m[2], 0xc4ac5665, 23);

            a = TArithmetic.I(a, b, c, d, m[0], 0xf4292244, 6);
            d = TArithmetic.I(d, a, b, c, m[7], 0x432aff97, 10);
            c = TArithmetic.I(c, d, a, b, m[14], 0xab9423a7, 15);
            b = TArithmetic.I(b, c, d, a, m[5], 0xfc93a039, 21);
            a = TArithmetic.I(a, b, c, d, m[12], 0x655b59c3, 6);
            d = TArithmetic.I(d, a, b, c, m[3], 0x8f0ccc92, 10);
            c = TArithmetic.I(c, d, a, b, m[10], 0xffeff47d, 15);
            b = TArithmetic.I(b, c, d, a, m[1], 0x85845dd1, 21);
            a = TArithmetic.I(a, b, c, d, m[8], 0x6fa87e4f, 6);
            d = TArithmetic.I(d, a, b, c, m[15], 0xfe2ce6e0, 10);
            c = TArithmetic.I(c, d, a, b, m[6], 0xa3014314, 15);
            b = TArithmetic.I(b, c, d, a, m[13], 0x4e0811a1, 21);
            a = TArithmetic.I(a, b, c, d, m[4], 0xf7537e82, 6);
            d = TArithmetic.I(d, a, b, c, m[11], 0xbd3af235, 10);
            c = TArithmetic.I(c, d, a, b, m[2], 0x2ad7d2bb, 15);
            b = TArithmetic.I(b, c, d, a, m[9], 0xeb86d391, 21);

            a = TArithmetic.Add(a, a0);
            b = TArithmetic.Add(b, b0);
            c = TArithmetic.Add(c, c0);
            d = TArithmetic.Add(d, d0);
        }

        (state[0], state[1], state[2], state[3]) = (a, b, c, d);
    }
}
