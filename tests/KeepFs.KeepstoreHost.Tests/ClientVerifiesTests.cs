using System.Net;
using System.Security.Cryptography;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Client;
using KeepFs.Hosting.Configuration;
using KeepFs.Testing.Volumes;

namespace KeepFs.KeepstoreHost.Tests;

/// <summary>Blocks that go out as the disk has them, for clients who verify what arrives (decision 0043).</summary>
public sealed class ClientVerifiesTests : IDisposable
{
    private readonly TemporaryFolder _one = new();
    private readonly TemporaryFolder _other = new();
    private readonly byte[] _data = RandomNumberGenerator.GetBytes((20 << 20) + 5);

    private static readonly (string Name, string Value) Verifies = (KeepClient.VerifiesHeader, "1");

    private Locator Block => new(BlockHash.Compute(_data), _data.Length);

    private ClusterConfig Config => TestKeepstore.ConfigFor(_one, _other) with
    {
        Collections = new CollectionsConfig { BlobSigningKey = TestKeepstore.Key, BlobSigning = false },
    };

    [Fact]
    public async Task Block_is_sent_from_its_file_and_says_so()
    {
        await using var keepstore = await TestKeepstore.StartAsync(Config);
        Write(_one, _data);

        using var unverified = await keepstore.SendAsync("GET", $"/{Block}", headers: Verifies);
        using var verified = await keepstore.SendAsync("GET", $"/{Block}");

        Assert.True(unverified.Headers.Contains(KeepClient.UnverifiedHeader));
        Assert.False(verified.Headers.Contains(KeepClient.UnverifiedHeader));
        foreach (var response in (HttpResponseMessage[])[unverified, verified])
        {
            Assert.Equal(_data.Length, response.Content.Headers.ContentLength);
            await RequireDataAsync(response);
        }

        // The connection goes on to be of use.
        using var again = await keepstore.SendAsync("GET", $"/{Block}", headers: Verifies);
        await RequireDataAsync(again);
    }

    [Fact]
    public async Task Who_does_not_verify_never_gets_a_damaged_copy()
    {
        await using var keepstore = await TestKeepstore.StartAsync(Config);
        Write(_one, Damaged());

        using var unverified = await keepstore.SendAsync("GET", $"/{Block}", headers: Verifies);
        Assert.True(unverified.Headers.Contains(KeepClient.UnverifiedHeader));
        await keepstore.ExpectAsync(HttpStatusCode.BadGateway, "GET", $"/{Block}");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task Client_gets_the_good_copy_when_the_first_is_damaged(int damaged)
    {
        await using var keepstore = await TestKeepstore.StartAsync(Config);
        Write(_one, damaged == 0 ? Damaged() : _data);
        Write(_other, damaged == 1 ? Damaged() : _data);
        using var http = new HttpClient { Timeout = Timeout.InfiniteTimeSpan };

        var fetched = await FetchAsync(http, keepstore, attempts: 1);
        Assert.True(_data.AsSpan().SequenceEqual(fetched));
    }

    [Fact]
    public async Task Client_says_so_when_every_copy_is_damaged()
    {
        await using var keepstore = await TestKeepstore.StartAsync(Config);
        Write(_one, Damaged());
        using var http = new HttpClient { Timeout = Timeout.InfiniteTimeSpan };

        var failure = await Assert.ThrowsAsync<KeepException>(() => FetchAsync(http, keepstore, attempts: 3));

        Assert.Equal(KeepErrorKind.Corrupt, failure.Kind);
    }

    [Fact]
    public async Task Copy_of_another_size_is_looked_at_before_it_is_sent()
    {
        await using var keepstore = await TestKeepstore.StartAsync(Config);
        Write(_one, _data[..^1]);

        using var response = await keepstore.SendAsync("GET", $"/{Block}", headers: Verifies);

        Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
    }

    [Fact]
    public async Task Small_block_comes_verified_and_an_unsigned_locator_is_refused_as_ever()
    {
        await using var keepstore = await TestKeepstore.StartAsync(Config with { Collections = new CollectionsConfig { BlobSigningKey = TestKeepstore.Key } });
        var small = new Locator(BlockHash.Compute("foo"u8), 3);
        await keepstore.ExpectAsync(HttpStatusCode.OK, "PUT", $"/{small.Hash}", body: "foo"u8.ToArray());
        var signed = new LocatorSigner(TestKeepstore.Key, keepstore.Config.Collections.BlobSigningTTL).Sign(small.ToString(), TestKeepstore.Token, keepstore.Time.GetUtcNow().AddHours(1));

        using var response = await keepstore.SendAsync("GET", $"/{signed}", headers: Verifies);
        using var refused = await keepstore.SendAsync("GET", $"/{Block}", headers: Verifies);

        Assert.Equal("foo", await response.Content.ReadAsStringAsync());
        Assert.False(response.Headers.Contains(KeepClient.UnverifiedHeader));
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
    }

    [Fact]
    public async Task File_that_becomes_shorter_while_it_is_sent_breaks_the_answer_off()
    {
        await using var keepstore = await TestKeepstore.StartAsync(Config);
        Write(_one, _data);
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(keepstore.Address, $"/{Block}"));
        request.Headers.TryAddWithoutValidation(Verifies.Name, Verifies.Value);

        // The socket holds a part of it, until somebody reads.
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        await using (var file = File.OpenWrite(PathOf(_one)))
        {
            file.SetLength(100);
        }

        await Assert.ThrowsAnyAsync<Exception>(() => response.Content.ReadAsByteArrayAsync());
        await keepstore.ExpectAsync(HttpStatusCode.BadGateway, "GET", $"/{Block}");
    }

    public void Dispose()
    {
        _one.Dispose();
        _other.Dispose();
    }

    private async Task RequireDataAsync(HttpResponseMessage response)
    {
        var bytes = await response.Content.ReadAsByteArrayAsync();
        Assert.True(_data.AsSpan().SequenceEqual(bytes));
    }

    private async Task<byte[]> FetchAsync(HttpClient http, TestKeepstore keepstore, int attempts)
    {
        var services = StaticServiceDirectory.OfUrls([keepstore.Address]);
        var client = new KeepClient(
            http, services, new KeepClientOptions { Token = TestKeepstore.Token, Attempts = attempts, FirstRetryDelay = TimeSpan.Zero }, TimeProvider.System, new Random(1));
        var buffer = await new BlockBufferPool(new BlockBufferPoolOptions { BudgetBytes = 128 << 20 }).RentAsync(_data.Length, default);
        await client.FetchAsync(Block, buffer, default);
        return buffer.Memory.ToArray();
    }

    private byte[] Damaged()
    {
        var damaged = (byte[])_data.Clone();
        damaged[^1] ^= 1;
        return damaged;
    }

    private string PathOf(TemporaryFolder folder) => Path.Join(folder.Path, Block.Hash.ToString()[..3], Block.Hash.ToString());

    private void Write(TemporaryFolder folder, byte[] bytes)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(PathOf(folder))!);
        File.WriteAllBytes(PathOf(folder), bytes);
    }
}
