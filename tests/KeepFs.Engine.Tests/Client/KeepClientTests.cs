using System.Text;
using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Tests.Client;

public sealed class KeepClientTests : IDisposable
{
    private static readonly byte[] Foo = Encoding.ASCII.GetBytes("foo");
    private static readonly Locator FooLocator = Locator.Parse("acbd18db4cc2f85cedef654fccc4a4d8+3");
    private readonly ScriptedServers _servers = new();
    private readonly BlockBufferPool _pool = new(new BlockBufferPoolOptions { BudgetBytes = 128 << 20 });

    public void Dispose() => _servers.Dispose();

    [Fact]
    public async Task Reading_goes_through_the_services_in_probe_order_until_one_has_a_good_copy()
    {
        var answers = new Queue<Func<HttpResponseMessage>>([() => ScriptedServers.Status(404), () => ScriptedServers.Ok("bar"u8.ToArray()), () => ScriptedServers.Ok(Foo)]);
        for (var i = 0; i < 3; i++)
        {
            _servers.Add(_ => answers.Dequeue()());
        }

        Assert.Equal("foo", await FetchAsync(FooLocator));
        var order = ProbeOrder.OfServices(FooLocator.Hash, _servers.Services, service => service.Uuid).Select(service => $"GET {service.BaseUri.Host}");
        Assert.Equal(order, _servers.Requests);
    }

    [Fact]
    public async Task A_service_that_fails_for_now_is_asked_again_and_one_that_lacks_the_block_is_not()
    {
        var tries = 0;
        var flaky = _servers.Add(_ => ++tries < 3 ? ScriptedServers.Status(503) : ScriptedServers.Ok(Foo));
        var empty = _servers.Add(_ => ScriptedServers.Status(404));
        Assert.Equal("foo", await FetchAsync(FooLocator));
        Assert.Equal(3, _servers.Requests.Count(request => request == $"GET {flaky}"));
        Assert.True(_servers.Requests.Count(request => request == $"GET {empty}") <= 1);
    }

    [Theory]
    [InlineData(404, 404, KeepErrorKind.NotFound)]
    [InlineData(404, 502, KeepErrorKind.Corrupt)]
    [InlineData(404, 503, KeepErrorKind.Unavailable)]
    [InlineData(404, 403, KeepErrorKind.PermissionDenied)]
    [InlineData(400, 400, KeepErrorKind.PermissionDenied)]
    public async Task Failure_tells_what_is_wrong(int first, int second, KeepErrorKind kind)
    {
        _servers.Add(_ => ScriptedServers.Status(first));
        _servers.Add(_ => ScriptedServers.Status(second));
        var e = await Assert.ThrowsAsync<KeepException>(() => FetchAsync(FooLocator));
        Assert.Equal(kind, e.Kind);
        Assert.Contains("acbd18db4cc2f85cedef654fccc4a4d8", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_short_body_is_never_taken_for_the_block()
    {
        _servers.Add(_ => ScriptedServers.Ok("fo"u8.ToArray()));
        Assert.Equal(KeepErrorKind.Corrupt, (await Assert.ThrowsAsync<KeepException>(() => FetchAsync(FooLocator))).Kind);
    }

    [Fact]
    public async Task Gateways_are_asked_only_when_a_hint_names_them()
    {
        var gateway = _servers.Add(_ => ScriptedServers.Ok(Foo), "gateway:test");
        _servers.Add(_ => ScriptedServers.Status(404));
        await Assert.ThrowsAsync<KeepException>(() => FetchAsync(FooLocator));
        Assert.DoesNotContain($"GET {gateway}", _servers.Requests);
        Assert.Equal("foo", await FetchAsync(Locator.Parse($"{FooLocator}+K@{_servers.Services[0].Uuid}")));
    }

    [Theory]
    [InlineData(404)]
    [InlineData(503)]
    public async Task A_hinted_gateway_is_asked_first_and_then_the_keepstores(int status)
    {
        var gateway = _servers.Add(_ => ScriptedServers.Status(status), "gateway:test");
        var keepstore = _servers.Add(_ => ScriptedServers.Ok(Foo));

        Assert.Equal("foo", await FetchAsync(Locator.Parse($"{FooLocator}+K@{_servers.Services[0].Uuid}")));
        Assert.Equal([$"GET {gateway}", $"GET {keepstore}"], _servers.Requests);
    }

    [Fact]
    public async Task Writing_stores_the_wanted_copies_on_the_first_services_of_the_probe_order()
    {
        for (var i = 0; i < 4; i++)
        {
            _servers.Add(request => ScriptedServers.Stored(request), readOnly: i == 3);
        }

        var written = await _servers.Client().WriteAsync(Foo, BlockWriteOptions.Default, default);
        var writable = _servers.Services.Where(service => !service.IsReadOnly).ToList();
        var expected = ProbeOrder.OfServices(FooLocator.Hash, writable, service => service.Uuid).Take(2).Select(service => $"PUT {service.BaseUri.Host}");
        Assert.Equal(expected, _servers.Requests);
        Assert.Equal(2, written.Replicas);
        Assert.True(written.Locator.IsSigned);
    }

    [Fact]
    public async Task A_full_or_broken_service_is_passed_over()
    {
        _servers.Add(_ => ScriptedServers.Status(507));
        _servers.Add(_ => throw new HttpRequestException("connection refused"));
        _servers.Add(request => ScriptedServers.Stored(request));
        _servers.Add(request => ScriptedServers.Stored(request));
        Assert.Equal(2, (await _servers.Client().WriteAsync(Foo, BlockWriteOptions.Default, default)).Replicas);
    }

    [Fact]
    public async Task Too_few_copies_is_a_failure_that_says_how_many_and_why()
    {
        _servers.Add(request => ScriptedServers.Stored(request));
        _servers.Add(_ => throw new HttpRequestException("connection refused"));
        var e = await Assert.ThrowsAsync<KeepException>(() => _servers.Client().WriteAsync(Foo, BlockWriteOptions.Default, default).AsTask());
        Assert.Equal(KeepErrorKind.InsufficientReplicas, e.Kind);
        Assert.Contains("wanted 2 copies but only 1", e.Message, StringComparison.Ordinal);
        Assert.Contains("keep1:25107: connection refused", e.Message, StringComparison.Ordinal);
        Assert.Equal(1 + 3, _servers.Requests.Count);
    }

    [Fact]
    public async Task A_proxy_may_bring_all_copies_in_one_answer()
    {
        _servers.Add(request => ScriptedServers.Stored(request, replicas: 2), "proxy");
        Assert.Equal(2, (await _servers.Client().WriteAsync(Foo, BlockWriteOptions.Default, default)).Replicas);
        Assert.Single(_servers.Requests);
    }

    [Fact]
    public async Task Every_wanted_class_must_be_confirmed()
    {
        for (var i = 0; i < 3; i++)
        {
            var confirmed = i == 0 ? "fast=1" : "archive=1";
            _servers.Add(request => ScriptedServers.Stored(request, confirmed: confirmed));
        }

        await _servers.Client(replicas: 1, classes: ["fast", "archive"]).WriteAsync(Foo, BlockWriteOptions.Default, default);
        Assert.Contains("PUT keep0", _servers.Requests);
        Assert.True(_servers.Requests.Count >= 2);
        var e = await Assert.ThrowsAsync<KeepException>(
            () => _servers.Client(replicas: 1, classes: ["nowhere"]).WriteAsync(Foo, BlockWriteOptions.Default, default).AsTask());
        Assert.Contains("storage class nowhere", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_about_another_block_does_not_count()
    {
        _servers.Add(_ => ScriptedServers.Ok("37b51d194a7513e45b56f6524f2d51f2+3"u8.ToArray()));
        await Assert.ThrowsAsync<KeepException>(() => _servers.Client(replicas: 1).WriteAsync(Foo, BlockWriteOptions.Default, default).AsTask());
    }

    private async Task<string> FetchAsync(Locator locator)
    {
        var buffer = await _pool.RentAsync(locator.SizeBytes, default);
        try
        {
            await _servers.Client().FetchAsync(locator, buffer, default);
            return Encoding.ASCII.GetString(buffer.Memory.Span);
        }
        finally
        {
            buffer.Release();
        }
    }
}
