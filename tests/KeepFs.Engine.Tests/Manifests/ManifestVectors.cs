using System.Text;

namespace KeepFs.Engine.Tests.Manifests;

/// <summary>The vectors of manifests.md section 10.</summary>
internal static class ManifestVectors
{
    private const string B = "acbd18db4cc2f85cedef654fccc4a4d8+3";
    private const string E = "d41d8cd98f00b204e9800998ecf8427e+0";

    public static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    /// <summary>Manifest, its PDH, its normalised form (null = unchanged), the PDH of that.</summary>
    public static TheoryData<string, string, string?, string?> Valid => new()
    {
        { "", "d41d8cd98f00b204e9800998ecf8427e+0", null, null },
        { $". {B} 0:3:foo\n", "1f4b0bc7583c2a7f9102c395f4ffc5e3+45", null, null },
        { ". 37b51d194a7513e45b56f6524f2d51f2+3 0:3:bar\n", "fa7aeb5140e2848d39b416daeef4ffc5+45", null, null },
        { $". {B}+A89118b78732c33104a4d6231e8b5a5fa1e4301e3@7fffffff 0:3:foo\n", "1f4b0bc7583c2a7f9102c395f4ffc5e3+45", null, null },
        { $". {B}+K@xyzzy+Zfoo 0:3:foo\n", "1f4b0bc7583c2a7f9102c395f4ffc5e3+45", null, null },
        { $". {B}+Rzzzzz-89118b78732c33104a4d6231e8b5a5fa1e4301e3@7fffffff 0:3:foo\n", "1f4b0bc7583c2a7f9102c395f4ffc5e3+45", null, null },
        { $". 930625b054ce894ac40596c3f5a0d947+33 0:0:a 0:0:b 0:33:output.txt\n./c {E} 0:0:d\n", "a195f5f4d549f9bb9aa39e5dd8638618+111", null, null },
        { ". c449ed86671e4a34a8b8b9430850beba+67108864 09fcfea01c3a141b89dd0dcfa1b7768e+22534144 0:89643008:Docker\\040image.tar\n", "df4f56c6f3c1b820b1174f8300e446ed+117", null, null },
        { ". 6a4ff0499484c6c79c95cd8c566bd25f+249025 0:249025:GNU_General_Public_License,_version_3.pdf\n", "b519d9cb706a29fc7ea24dbea2f05851+93", null, null },
        { $"./empty_dir {E} 0:0:\\056\n", "fe9873df214a2026f65e2008304fc14b+56", null, null },
        {
            $". {B} 37b51d194a7513e45b56f6524f2d51f2+3 3:3:b\\072c 1:4:a\\134b 0:0:e\n", "f2f00231c59cd2d5e5856b6d603625b4+100",
            $". {B} 37b51d194a7513e45b56f6524f2d51f2+3 1:4:a\\134b 3:3:b\\072c 0:0:e\n", "cbe2ae233935c6900549f7bc5a4e46b7+100"
        },
        {
            ". 5348b82a029fd9e971a811ce1f71360b+43 3:40:md5sum.txt\n. 085c37f02916da1cad16f93c54d899b7+41 0:41:md5sum.txt\n. 8b22da26f9f433dea0a10e5ec66d73ba+43 0:43:md5sum.txt\n",
            "e8e3b7eb6e1605cf4b1c3fdc60e8a1f3+162",
            ". 5348b82a029fd9e971a811ce1f71360b+43 085c37f02916da1cad16f93c54d899b7+41 8b22da26f9f433dea0a10e5ec66d73ba+43 3:124:md5sum.txt\n",
            "a07581c90c442e7480c48c5436a4bdd9+127"
        },
        {
            ". 204e43b8a1185621ca55a94839582e6f+67108864 0:3:foo/bar\n./zzz 204e43b8a1185621ca55a94839582e6f+67108864 0:999:zzz\n./foo 323d2a3ce20370c4ca1d3462a344f8fd+25885655 0:3:bar\n",
            "757ac2e95e58284e86e2b071af032e53+170",
            "./foo 204e43b8a1185621ca55a94839582e6f+67108864 323d2a3ce20370c4ca1d3462a344f8fd+25885655 0:3:bar 67108864:3:bar\n./zzz 204e43b8a1185621ca55a94839582e6f+67108864 0:999:zzz\n",
            "bd0c1644a54737b9079903eecfacd2c7+171"
        },
        { $". {B} 0:3:café.txt 0:1:日本\n", "8ff6d87c8abe53106d50e509bfc76f26+62", null, null },
        {
            ". 4c6c2c0ac8aa0696edd7316a3be5ca3c+5 0:5:w\\040\\141\\040z\n", "44a8da9ec82098323895cd14e178386f+56",
            ". 4c6c2c0ac8aa0696edd7316a3be5ca3c+5 0:5:w\\040a\\040z\n", "5cddfde9c2bdccd521fe7ef80acb765c+53"
        },
        {
            $"./a-b {B} 0:3:x\n./a/c {B} 0:3:x\n./a {B} 0:3:x\n", "37447bbefada5f79a66d7200b1ade31d+139",
            $"./a {B} 0:3:x\n./a/c {B} 0:3:x\n./a-b {B} 0:3:x\n", "e20e385a379bd6bc431db52d83facede+139"
        },
        {
            $". {B}+Aabadbadbee@abeebdee 0:3:foo.txt 1:0:bar.txt 0:3:foo.txt\n", "21cda4ad9e0eb48139513126378c1ce0+73",
            $". {B}+Aabadbadbee@abeebdee 0:0:bar.txt 0:3:foo.txt 0:3:foo.txt\n", "58562a799b2f02f3f08708b4c92dff44+73"
        },
        { $". {E} 0:0:. 0:0:. 0:0:\\056 0:0:\\056\n", null!, "", "d41d8cd98f00b204e9800998ecf8427e+0" },
        {
            ". 5348b82a029fd9e971a811ce1f71360b+43 085c37f02916da1cad16f93c54d899b7+41 8b22da26f9f433dea0a10e5ec66d73ba+43 0:43:md5sum.txt 43:41:md6sum.txt 84:43:md7sum.txt 6:37:md8sum.txt 84:43:md8sum.txt 83:1:md9sum.txt 0:43:md9sum.txt 84:36:md9sum.txt\n",
            null!, null, null
        },
    };

    /// <summary>Manifest, and whether the API's validator accepts it; our reader refuses all of them.</summary>
    public static TheoryData<string, bool> Invalid => new()
    {
        { $". {B} 0:3:foo", false },
        { $"foo {B} 0:3:foo\n", false },
        { $"./foo/../bar {B} 0:3:foo\n", false },
        { $"./a/. {B} 0:3:x\n", false },
        { ". 0:0:foo\n", false },
        { $". {B}\n", false },
        { $". {B} 0:3:foo 37b51d194a7513e45b56f6524f2d51f2+3\n", false },
        { $". {B}  0:3:foo\n", false },
        { $". {B} 0:3:foo \n", false },
        { $". {B} 0:3:foo\n\n", false },
        { $". {B} 0:3:foo\tbar\n", false },
        { $". {B} 0:3:/foo\n", false },
        { $". {B} 0:3:a//b\n", false },
        { $". {B} 0:3:.\n", false },
        { $". {B} 0:0:..\n", false },
        { $". {B} 0:3:foo\\444\n", false },
        { $". {B} 0:3:foo\\r\n", false },
        { $". {B} 0:3:\n", false },
        { ". acbd18db4cc2f85cedef654fccc4a4d8+Zx+3 0:3:foo\n", false },
        { $". {B} 2:3:foo\n", true },
        { ". acbd18db4cc2f85cedef654fccc4a4d8 0:3:foo\n", true },
        { $". {B} 0:3:foo\n./foo {B} 0:3:bar\n", true },
        { $"./empty_dir {E} 0:0:\\056\\056\n", false },
        { $". {E} \\060:\\060:foo\n", false },
        { $".\\057/Data {E} 0:0:foo\n", false },
        { $"./\\\\444 {E} 0:0:foo\n", false },
    };

    public static TheoryData<string> ValidAlthoughOdd =>
    [
        $". {B} 0:3:foo:bar\n",
        $". {E} 0:0:...\n",
        $"\\056\\057Data {E} 0:0:foo\n",
        $"./\\134444 {E} 0:0:foo\n",
    ];
}
