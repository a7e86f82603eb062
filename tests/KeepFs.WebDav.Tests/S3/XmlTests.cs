using System.Text;
using System.Xml.Linq;
using KeepFs.Engine.Manifests;
using KeepFs.Testing;
using KeepFs.WebDav.S3.Bodies;
using KeepFs.WebDav.S3.Multipart;
using KeepFs.WebDav.S3.Objects;
using KeepFs.WebDav.S3.Protocol;
using KeepFs.WebDav.S3.Signing;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Tests.S3;

public sealed class XmlTests
{
    private const int PartBytes = 5 << 20;

    private static readonly string[] Hashes = ["acbd18db4cc2f85cedef654fccc4a4d8", "37b51d194a7513e45b56f6524f2d51f2", "73feffa4b7f6bb68e44cf984c85f6e88"];

    [Fact]
    public async Task Multipart_xml_is_refused_or_names_stored_parts_in_order()
    {
        var stored = ManifestTree.Load(Encoding.ASCII.GetBytes(
            $". {string.Join(' ', Hashes.Select(hash => $"{hash}+{PartBytes}"))} {string.Join(' ', Hashes.Select((_, i) => $"{i * PartBytes}:{PartBytes}:{Upload.FileOf(i + 1)}"))}\n"));
        var tags = Hashes.Select((_, i) => ObjectTag.Of((ManifestFile)stored.Find(Upload.FileOf(i + 1))!)).ToArray();
        string Xml(params int[] parts) => $"<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
            + string.Concat(parts.Select(part => $"<Part><PartNumber>{part}</PartNumber><ETag>{tags[part - 1].Replace("\"", "&quot;", StringComparison.Ordinal)}</ETag></Part>"))
            + "</CompleteMultipartUpload>";
        var mutator = new ByteMutator(21, Xml(1, 2, 3), Xml(1), Xml(2, 3), Xml(1, 3).Replace("<Part>", "<Part><ChecksumCRC32>x</ChecksumCRC32>", StringComparison.Ordinal));
        var taken = 0;
        for (var i = 0; i < ByteMutator.Count; i++)
        {
            try
            {
                var file = CompleteUpload.Assemble(await ReadAsync(mutator.Next(), "CompleteMultipartUpload"), stored);
                var parts = file.Segments.ToArray().Select(segment => Array.FindIndex(Hashes, segment.Locator.ToString().StartsWith)).ToArray();
                Assert.DoesNotContain(-1, parts);
                Assert.Equal(parts.Distinct().Order(), parts);
                taken++;
            }
            catch (S3Exception e)
            {
                Assert.Equal(400, e.Status);
            }
        }

        Assert.InRange(taken, ByteMutator.Count / 100, ByteMutator.Count);
    }

    [Theory]
    [InlineData("<!DOCTYPE a [<!ENTITY x \"1234567890\"><!ENTITY y \"&x;&x;&x;&x;&x;&x;&x;&x;\">]><Delete><Object><Key>&y;</Key></Object></Delete>")]
    [InlineData("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><Delete><Object><Key>a</Key></Object></Delete>")]
    [InlineData("<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><Delete><Object><Key>&x;</Key></Object></Delete>")]
    public async Task Entities_and_document_types_are_refused(string xml) =>
        Assert.Equal("MalformedXML", (await Assert.ThrowsAsync<S3Exception>(() => ReadAsync(Encoding.UTF8.GetBytes(xml), "Delete"))).Code);

    [Fact]
    public async Task Deep_and_huge_xml_is_refused()
    {
        var deep = string.Concat(Enumerable.Repeat("<Delete>", 100_000)) + string.Concat(Enumerable.Repeat("</Delete>", 100_000));
        Assert.Equal("MalformedXML", (await Assert.ThrowsAsync<S3Exception>(() => ReadAsync(Encoding.ASCII.GetBytes(deep), "Delete"))).Code);
        var huge = $"<Delete><Object><Key>{new string('k', 10 << 20)}</Key></Object></Delete>";
        Assert.InRange((await Assert.ThrowsAsync<S3Exception>(() => ReadAsync(Encoding.ASCII.GetBytes(huge), "Delete"))).Status, 400, 413);
    }

    private static Task<XElement> ReadAsync(byte[] body, string root)
    {
        var request = new DefaultHttpContext { Request = { Body = new MemoryStream(body), ContentLength = body.Length } }.Request;
        return XmlRequest.ReadAsync(request, new S3Identity("t", "UNSIGNED-PAYLOAD", null, ""), root, hasChecksums: false, default);
    }
}
