using System.Runtime.CompilerServices;

namespace KeepFs.Engine.Blocks.Hashing;

/// <summary>
/// Two messages in scalar registers, step by step in turn: while one waits for its chain of dependent instructions, the other's run.
/// Faster for two than a vector that is mostly empty.
/// </summary>
internal static unsafe class Md5Pair
{
    /// <inheritdoc cref="Md5Kernel{TArithmetic, TVector}.Compress"/>
    /// <param name="messages">Two.</param>
    /// <param name="first">The state of the first message.</param>
    /// <param name="second">The state of the second message.</param>
    /// <param name="blocks">At least as many must lie behind each pointer.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Compress(byte** messages, ref Md5State first, ref Md5State second, int blocks)
    {
        var scratch = stackalloc uint[32];
        var (a0, b0, c0, d0) = (first.A, first.B, first.C, first.D);
        var (a1, b1, c1, d1) = (second.A, second.B, second.C, second.D);
        for (nint offset = 0; blocks > 0; blocks--, offset += Md5State.BlockBytes)
        {
            var m0 = Md5Scalar.Block(messages, offset, scratch);
            var m1 = Md5Scalar.Block(messages + 1, offset, scratch + 16);
            a0 = Md5Scalar.F(a0, b0, c0, d0, m0[0], 0xd76aa478, 7);
            a1 = Md5Scalar.F(a1, b1, c1, d1, m1[0], 0xd76aa478, 7);
            d0 = Md5Scalar.F(d0, a0, b0, c0, m0[1], 0xe8c7b756, 12);
            d1 = Md5Scalar.F(d1, a1, b1, c1, m1[1], 0xe8c7b756, 12);
            c0 = Md5Scalar.F(c0, d0, a0, b0, m0[2], 0x242070db, 17);
            c1 = Md5Scalar.F(c1, d1, a1, b1, m1[2], 0x242070db, 17);
            b0 = Md5Scalar.F(b0, c0, d0, a0, m0[3], 0xc1bdceee, 22);
            b1 = Md5Scalar.F(b1, c1, d1, a1, m1[3], 0xc1bdceee, 22);
            a0 = Md5Scalar.F(a0, b0, c0, d0, m0[4], 0xf57c0faf, 7);
            a1 = Md5Scalar.F(a1, b1, c1, d1, m1[4], 0xf57c0faf, 7);
            d0 = Md5Scalar.F(d0, a0, b0, c0, m0[5], 0x4787c62a, 12);
            d1 = Md5Scalar.F(d1, a1, b1, c1, m1[5], 0x4787c62a, 12);
            c0 = Md5Scalar.F(c0, d0, a0, b0, m0[6], 0xa8304613, 17);
            c1 = Md5Scalar.F(c1, d1, a1, b1, m1[6], 0xa8304613, 17);
            b0 = Md5Scalar.F(b0, c0, d0, a0, m0[7], 0xfd469501, 22);
            b1 = Md5Scalar.F(b1, c1, d1, a1, m1[7], 0xfd469501, 22);
            a0 = Md5Scalar.F(a0, b0, c0, d0, m0[8], 0x698098d8, 7);
            a1 = Md5Scalar.F(a1, b1, c1, d1, m1[8], 0x698098d8, 7);
            d0 = Md5Scalar.F(d0, a0, b0, c0, m0[9], 0x8b44f7af, 12);
            d1 = Md5Scalar.F(d1, a1, b1, c1, m1[9], 0x8b44f7af, 12);
            c0 = Md5Scalar.F(c0, d0, a0, b0, m0[10], 0xffff5bb1, 17);
            c1 = Md5Scalar.F(c1, d1, a1, b1, m1[10], 0xffff5bb1, 17);
            b0 = Md5Scalar.F(b0, c0, d0, a0, m0[11], 0x895cd7be, 22);
            b1 = Md5Scalar.F(b1, c1, d1, a1, m1[11], 0x895cd7be, 22);
            a0 = Md5Scalar.F(a0, b0, c0, d0, m0[12], 0x6b901122, 7);
            a1 = Md5Scalar.F(a1, b1, c1, d1, m1[12], 0x6b901122, 7);
            d0 = Md5Scalar.F(d0, a0, b0, c0, m0[13], 0xfd987193, 12);
            d1 = Md5Scalar.F(d1, a1, b1, c1, m1[13], 0xfd987193, 12);
            c0 = Md5Scalar.F(c0, d0, a0, b0, m0[14], 0xa679438e, 17);
            c1 = Md5Scalar.F(c1, d1, a1, b1, m1[14], 0xa679438e, 17);
            b0 = Md5Scalar.F(b0, c0, d0, a0, m0[15], 0x49b40821, 22);
            b1 = Md5Scalar.F(b1, c1, d1, a1, m1[15], 0x49b40821, 22);

            a0 = Md5Scalar.G(a0, b0, c0, d0, m0[1], 0xf61e2562, 5);
            a1 = Md5Scalar.G(a1, b1, c1, d1, m1[1], 0xf61e2562, 5);
            d0 = Md5Scalar.G(d0, a0, b0, c0, m0[6], 0xc040b340, 9);
            d1 = Md5Scalar.G(d1, a1, b1, c1, m1[6], 0xc040b340, 9);
            c0 = Md5Scalar.G(c0, d0, a0, b0, m0[11], 0x265e5a51, 14);
            c1 = Md5Scalar.G(c1, d1, a1, b1, m1[11], 0x265e5a51, 14);
            b0 = Md5Scalar.G(b0, c0, d0, a0, m0[0], 0xe9b6c7aa, 20);
            b1 = Md5Scalar.G(b1, c1, d1, a1, m1[0], 0xe9b6c7aa, 20);
            a0 = Md5Scalar.G(a0, b0, c0, d0, m0[5], 0xd62f105d, 5);
            a1 = Md5Scalar.G(a1, b1, c1, d1, m1[5], 0xd62f105d, 5);
            d0 = Md5Scalar.G(d0, a0, b0, c0, m0[10], 0x02441453, 9);
            d1 = Md5Scalar.G(d1, a1, b1, c1, m1[10], 0x02441453, 9);
            c0 = Md5Scalar.G(c0, d0, a0, b0, m0[15], 0xd8a1e681, 14);
            c1 = Md5Scalar.G(c1, d1, a1, b1, m1[15], 0xd8a1e681, 14);
            b0 = Md5Scalar.G(b0, c0, d0, a0, m0[4], 0xe7d3fbc8, 20);
            b1 = Md5Scalar.G(b1, c1, d1, a1, m1[4], 0xe7d3fbc8, 20);
            a0 = Md5Scalar.G(a0, b0, c0, d0, m0[9], 0x21e1cde6, 5);
            a1 = Md5Scalar.G(a1, b1, c1, d1, m1[9], 0x21e1cde6, 5);
            d0 = Md5Scalar.G(d0, a0, b0, c0, m0[14], 0xc33707d6, 9);
            d1 = Md5Scalar.G(d1, a1, b1, c1, m1[14], 0xc33707d6, 9);
            c0 = Md5Scalar.G(c0, d0, a0, b0, m0[3], 0xf4d50d87, 14);
            c1 = Md5Scalar.G(c1, d1, a1, b1, m1[3], 0xf4d50d87, 14);
            b0 = Md5Scalar.G(b0, c0, d0, a0, m0[8], 0x455a14ed, 20);
            b1 = Md5Scalar.G(b1, c1, d1, a1, m1[8], 0x455a14ed, 20);
            a0 = Md5Scalar.G(a0, b0, c0, d0, m0[13], 0xa9e3e905, 5);
            a1 = Md5Scalar.G(a1, b1, c1, d1, m1[13], 0xa9e3e905, 5);
            d0 = Md5Scalar.G(d0, a0, b0, c0, m0[2], 0xfcefa3f8, 9);
            d1 = Md5Scalar.G(d1, a1, b1, c1, m1[2], 0xfcefa3f8, 9);
            c0 = Md5Scalar.G(c0, d0, a0, b0, m0[7], 0x676f02d9, 14);
            c1 = Md5Scalar.G(c1, d1, a1, b1, m1[7], 0x676f02d9, 14);
            b0 = Md5Scalar.G(b0, c0, d0, a0, m0[12], 0x8d2a4c8a, 20);
            b1 = Md5Scalar.G(b1, c1, d1, a1, m1[12], 0x8d2a4c8a, 20);

            a0 = Md5Scalar.H(a0, b0, c0, d0, m0[5], 0xfffa3942, 4);
            a1 = Md5Scalar.H(a1, b1, c1, d1, m1[5], 0xfffa3942, 4);
            d0 = Md5Scalar.H(d0, a0, b0, c0, m0[8], 0x8771f681, 11);
            d1 = Md5Scalar.H(d1, a1, b1, c1, m1[8], 0x8771f681, 11);
            c0 = Md5Scalar.H(c0, d0, a0, b0, m0[11], 0x6d9d6122, 16);
            c1 = Md5Scalar.H(c1, d1, a1, b1, m1[11], 0x6d9d6122, 16);
            b0 = Md5Scalar.H(b0, c0, d0, a0, m0[14], 0xfde5380c, 23);
            b1 = Md5Scalar.H(b1, c1, d1, a1, m1[14], 0xfde5380c, 23);
            a0 = Md5Scalar.H(a0, b0, c0, d0, m0[1], 0xa4beea44, 4);
            a1 = Md5Scalar.H(a1, b1, c1, d1, m1[1], 0xa4beea44, 4);
            d0 = Md5Scalar.H(d0, a0, b0, c0, m0[4], 0x4bdecfa9, 11);
            d1 = Md5Scalar.H(d1, a1, b1, c1, m1[4], 0x4bdecfa9, 11);
            c0 = Md5Scalar.H(c0, d0, a0, b0, m0[7], 0xf6bb4b60, 16);
            c1 = Md5Scalar.H(c1, d1, a1, b1, m1[7], 0xf6bb4b60, 16);
            b0 = Md5Scalar.H(b0, c0, d0, a0, m0[10], 0xbebfbc70, 23);
            b1 = Md5Scalar.H(b1, c1, d1, a1, m1[10], 0xbebfbc70, 23);
            a0 = Md5Scalar.H(a0, b0, c0, d0, m0[13], 0x289b7ec6, 4);
            a1 = Md5Scalar.H(a1, b1, c1, d1, m1[13], 0x289b7ec6, 4);
            d0 = Md5Scalar.H(d0, a0, b0, c0, m0[0], 0xeaa127fa, 11);
            d1 = Md5Scalar.H(d1, a1, b1, c1, m1[0], 0xeaa127fa, 11);
            c0 = Md5Scalar.H(c0, d0, a0, b0, m0[3], 0xd4ef3085, 16);
            c1 = Md5Scalar.H(c1, d1, a1, b1, m1[3], 0xd4ef3085, 16);
            b0 = Md5Scalar.H(b0, c0, d0, a0, m0[6], 0x04881d05, 23);
            b1 = Md5Scalar.H(b1, c1, d1, a1, m1[6], 0x04881d05, 23);
            a0 = Md5Scalar.H(a0, b0, c0, d0, m0[9], 0xd9d4d039, 4);
            a1 = Md5Scalar.H(a1, b1, c1, d1, m1[9], 0xd9d4d039, 4);
            d0 = Md5Scalar.H(d0, a0, b0, c0, m0[12], 0xe6db99e5, 11);
            d1 = Md5Scalar.H(d1, a1, b1, c1, m1[12], 0xe6db99e5, 11);
            c0 = Md5Scalar.H(c0, d0, a0, b0, m0[15], 0x1fa27cf8, 16);
            c1 = Md5Scalar.H(c1, d1, a1, b1, m1[15], 0x1fa27cf8, 16);
            b0 = Md5Scalar.H(b0, c0, d0, a0, m0[2], 0xc4ac5665, 23);
            b1 = Md5Scalar.H(b1, c1, d1, a1, m1[2], 0xc4ac5665, 23);

            a0 = Md5Scalar.I(a0, b0, c0, d0, m0[0], 0xf4292244, 6);
            a1 = Md5Scalar.I(a1, b1, c1, d1, m1[0], 0xf4292244, 6);
            d0 = Md5Scalar.I(d0, a0, b0, c0, m0[7], 0x432aff97, 10);
            d1 = Md5Scalar.I(d1, a1, b1, c1, m1[7], 0x432aff97, 10);
            c0 = Md5Scalar.I(c0, d0, a0, b0, m0[14], 0xab9423a7, 15);
            c1 = Md5Scalar.I(c1, d1, a1, b1, m1[14], 0xab9423a7, 15);
            b0 = Md5Scalar.I(b0, c0, d0, a0, m0[5], 0xfc93a039, 21);
            b1 = Md5Scalar.I(b1, c1, d1, a1, m1[5], 0xfc93a039, 21);
            a0 = Md5Scalar.I(a0, b0, c0, d0, m0[12], 0x655b59c3, 6);
            a1 = Md5Scalar.I(a1, b1, c1, d1, m1[12], 0x655b59c3, 6);
            d0 = Md5Scalar.I(d0, a0, b0, c0, m0[3], 0x8f0ccc92, 10);
            d1 = Md5Scalar.I(d1, a1, b1, c1, m1[3], 0x8f0ccc92, 10);
            c0 = Md5Scalar.I(c0, d0, a0, b0, m0[10], 0xffeff47d, 15);
            c1 = Md5Scalar.I(c1, d1, a1, b1, m1[10], 0xffeff47d, 15);
            b0 = Md5Scalar.I(b0, c0, d0, a0, m0[1], 0x85845dd1, 21);
            b1 = Md5Scalar.I(b1, c1, d1, a1, m1[1], 0x85845dd1, 21);
            a0 = Md5Scalar.I(a0, b0, c0, d0, m0[8], 0x6fa87e4f, 6);
            a1 = Md5Scalar.I(a1, b1, c1, d1, m1[8], 0x6fa87e4f, 6);
            d0 = Md5Scalar.I(d0, a0, b0, c0, m0[15], 0xfe2ce6e0, 10);
            d1 = Md5Scalar.I(d1, a1, b1, c1, m1[15], 0xfe2ce6e0, 10);
            c0 = Md5Scalar.I(c0, d0, a0, b0, m0[6], 0xa3014314, 15);
            c1 = Md5Scalar.I(c1, d1, a1, b1, m1[6], 0xa3014314, 15);
            b0 = Md5Scalar.I(b0, c0, d0, a0, m0[13], 0x4e0811a1, 21);
            b1 = Md5Scalar.I(b1, c1, d1, a1, m1[13], 0x4e0811a1, 21);
            a0 = Md5Scalar.I(a0, b0, c0, d0, m0[4], 0xf7537e82, 6);
            a1 = Md5Scalar.I(a1, b1, c1, d1, m1[4], 0xf7537e82, 6);
            d0 = Md5Scalar.I(d0, a0, b0, c0, m0[11], 0xbd3af235, 10);
            d1 = Md5Scalar.I(d1, a1, b1, c1, m1[11], 0xbd3af235, 10);
            c0 = Md5Scalar.I(c0, d0, a0, b0, m0[2], 0x2ad7d2bb, 15);
            c1 = Md5Scalar.I(c1, d1, a1, b1, m1[2], 0x2ad7d2bb, 15);
            b0 = Md5Scalar.I(b0, c0, d0, a0, m0[9], 0xeb86d391, 21);
            b1 = Md5Scalar.I(b1, c1, d1, a1, m1[9], 0xeb86d391, 21);

            first.A = a0 += first.A;
            first.B = b0 += first.B;
            first.C = c0 += first.C;
            first.D = d0 += first.D;
            second.A = a1 += second.A;
            second.B = b1 += second.B;
            second.C = c1 += second.C;
            second.D = d1 += second.D;
        }
    }
}
