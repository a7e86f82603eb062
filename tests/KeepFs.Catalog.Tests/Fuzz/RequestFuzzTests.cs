using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using KeepFs.Catalog.Collections;
using KeepFs.Catalog.Dav;
using KeepFs.Catalog.Events;
using KeepFs.Catalog.Permissions;
using KeepFs.Catalog.Records;
using KeepFs.Catalog.Requests;
using KeepFs.Catalog.Storage;
using KeepFs.Testing;
using Microsoft.AspNetCore.Http;

namespace KeepFs.Catalog.Tests.Fuzz;

/// <summary>Whatever a client sends is answered or refused: nothing but <see cref="ApiException"/> leaves the parsers and the database, and no answer is a 5xx.</summary>
public abstract class RequestFuzzTests(DatabaseKind database) : IAsyncLifetime
{
    private static readonly string[] Bodies =
    [
        """{"collection":{"name":"a","properties":{"k":[1,2.5e3,true,null,{"x":"\u00e9"}]},"storage_classes_desired":["default"],"trash_at":"2031-01-01T00:00:00Z"}}""",
        """{"name":"a","description":"b","replication_desired":2,"preserve_version":true,"manifest_text":". acbd18db4cc2f85cedef654fccc4a4d8+3+A89118b78732c33104a4d6231e8b5a5fa1e4301e3@7fffffff 0:3:foo\n"}""",
        """{"collection":{},"replace_files":{"/a":"acbd18db4cc2f85cedef654fccc4a4d8+3/b","/c":""},"replace_segments":{"acbd18db4cc2f85cedef654fccc4a4d8+3 0 3":"37b51d194a7513e45b56f6524f2d51f2+3 0 3"}}""",
        """{"filters":[["name","like","a%"],["properties.k","in",[1,"x"]],["any","ilike","%q%"],"(version < file_count)",[["name","description"],"=",null]],"order":["name desc"],"select":["uuid"],"limit":5}""",
        """{"where":{"name":["a"],"uuid":null},"count":"none","distinct":true,"select":["properties"],"order":"properties"}""",
        """{"group":{"group_class":"filter","name":"f","properties":{"filters":[["uuid","is_a","arvados#collection"],["collections.name","=","x"]]}}}""",
        """{"link":{"link_class":"permission","name":"can_read","tail_uuid":"zzzzz-tpzed-000000000000000","head_uuid":"zzzzz-j7d0g-000000000000000"}}""",
        """{"keepfs_dav":{"puts":[],"replaces":"zzzzz-4zz18-000000000000000","path":"a/b"},"if_portable_data_hash":"d41d8cd98f00b204e9800998ecf8427e+0"}""",
        """{"method":"subscribe","filters":[["event_type","in",["create"]]],"last_log_id":5}""",
        """{"collection":"{\"name\":\"x\"}","ensure_unique_name":"1","include_trash":0,"offset":"3"}""",
    ];

    private static readonly string[] Forms =
    [
        "filters=%5B%5B%22name%22%2C%22%3D%22%2C%22a%22%5D%5D&order=name%20desc%2Cuuid&select=uuid,name&limit=3&offset=1&count=exact",
        "collection=%7B%22name%22%3A%22a%22%7D&ensure_unique_name=true&_method=GET",
        "reader_tokens=%5B%22a%22%5D&distinct=true&include_old_versions=1&where=%7B%22owner_uuid%22%3A%22x%22%7D",
    ];

    private static readonly string[] Filters =
    [
        """[["name","=","apple"],["name","!=",null],["version",">=",1],["created_at","<","2031-01-01"]]""",
        """[["properties.color","=","red"],["properties.<http://x/y>","exists",true],["properties.n","<",5.5],["properties.c","contains",["a"]],["properties.s","not in",["\u00e9",1,null,{"a":[]}]]]""",
        """[["any","like","%x_y\\%%"],["any","in",["a"]],["any","=",5],["uuid","is_a",["arvados#user"]],["properties","contains",["k","l"]],["storage_classes_desired","=","[\"default\"]"]]""",
        """["(file_count < version)",["(version = version)","=",false],[["name","description"],"ilike","\ud834\udd1e%"]]""",
        """[["is_trashed","in",[true,"f",0]],["replication_desired","not in",[1,2,null]],["collections.name","<","z"],["file_names","like","%\\\\"]]""",
    ];

    private static readonly string[] Orders = ["name", "name desc, uuid asc", """["collections.name ASC","version desc"]""", "modified_at  desc", """["properties","is_trashed"]"""];

    private static readonly string[] Selects = ["""["uuid","name"]""", "uuid,properties", """["collections.uuid","manifest_text"]""", """["storage_classes_desired","unsigned_manifest_text","kind"]"""];

    private static int Inputs => Environment.GetEnvironmentVariable("KEEPFS_TEST_FULL") == "1" ? 500_000 : 10_000;

    private static int Requests => Environment.GetEnvironmentVariable("KEEPFS_TEST_FULL") == "1" ? 50_000 : 1_500;

    private TestCatalog _catalog = null!;

    public async Task InitializeAsync()
    {
        _catalog = await TestCatalog.StartAsync(database);
        await new RandomRecords(_catalog, new Random(3)).MakeAsync();
    }

    public async Task DisposeAsync() => await _catalog.DisposeAsync();

    [Fact]
    public async Task Parameters_are_read_and_lists_run_or_are_refused()
    {
        var caller = new Caller { UserUuid = _catalog.ActiveUser, IsAdmin = false, IsActive = true, Token = _catalog.ActiveToken, TokenUuid = "", TokenSecret = "", ActsAs = [_catalog.ActiveUser] };
        var types = RecordTypes.All.ToArray();
        var (body, form, filter, order, select) = (new ByteMutator(1, Bodies), new ByteMutator(2, Forms), new ByteMutator(3, Filters), new ByteMutator(4, Orders), new ByteMutator(5, Selects));
        var listed = 0;
        for (var i = 0; i < Inputs; i++)
        {
            var context = new DefaultHttpContext();
            byte[] bytes = [];
            switch (i % 4)
            {
                case 0:
                    bytes = body.Next();
                    context.Request.ContentType = "application/json";
                    break;
                case 1:
                    bytes = form.Next();
                    context.Request.ContentType = "application/x-www-form-urlencoded";
                    break;
                case 2:
                    context.Request.QueryString = new QueryString($"?filters={Escape(filter.Next())}&limit=3");
                    break;
                default:
                    context.Request.QueryString = new QueryString($"?filters={Uri.EscapeDataString(body.Pick(Filters))}&order={Escape(order.Next())}&select={Escape(select.Next())}&distinct={(i % 8 < 4 ? "true" : "")}");
                    break;
            }

            context.Request.Body = new MemoryStream(bytes);
            context.Request.ContentLength = bytes.Length;
            context.Request.Method = "POST";
            // Mostly what the seeds are written for.
            var type = i % 16 < 12 ? RecordTypes.Collections : body.Pick(types);
            var input = $"input {i}: {context.Request.QueryString} {Convert.ToBase64String(bytes)}";
            if (await AcceptAsync(input, () => ParameterReader.ReadAsync(context.Request, default)) is not { } parameters)
            {
                continue;
            }

            await AcceptAsync(input, () => Task.FromResult(parameters.Attributes("collection").Decode(type)));
            await AcceptAsync(input, () => Task.FromResult(parameters.AttributesOfEach("collection", 10)));
            await AcceptAsync(input, () => Task.FromResult(parameters.Whole().GetRawText()));
            await AcceptAsync(input, () => Task.FromResult(parameters.Json("replace_files") is { } files ? new ReplaceFiles(files) : new object()));
            await AcceptAsync(input, () => Task.FromResult(parameters.Json("replace_segments") is { } segments ? new ReplaceSegments(segments).Apply(ReadOnlyMemory<byte>.Empty) : []));
            await AcceptAsync(input, () => Task.FromResult(DavState.Change(parameters) ?? new object()));
            await AcceptAsync(input, () => Task.FromResult(parameters.Text("if_portable_data_hash") ?? ""));
            await AcceptAsync(input, () => Task.FromResult(EventSubscription.Parse(bytes).Method));
            if (await AcceptAsync(input, () => Task.FromResult(ListRequest.From(parameters, type, 1000))) is { } request
                && await AcceptAsync(input, () => _catalog.Server.Database.ReadAsync(session => ListQuery.Run(session, request, caller, 1 << 20), default)) is not null)
            {
                listed++;
            }
        }

        // It is no test of refusals alone.
        Assert.InRange(listed, Inputs / 20, Inputs);
    }

    [Fact]
    public async Task Requests_are_answered_without_server_errors()
    {
        var collections = (await _catalog.GetAsync(_catalog.ActiveToken, "collections?limit=100")).ItemTexts("uuid").ToArray();
        var (body, form, filter, pick) = (new ByteMutator(6, Bodies), new ByteMutator(7, Forms), new ByteMutator(8, Filters), new ByteMutator(9, "x"));
        var path = new ByteMutator(10, "collections", "groups/contents", "groups/shared", "users", "links", "logs", "api_client_authorizations", "keep_services", "permissions/zzzzz-4zz18-000000000000000", "groups/zzzzz-j7d0g-000000000000000", "users/current", "config", "computed_permissions");
        var paths = new[] { "collections", "groups", "groups/contents", "groups/shared", "users", "links", "logs", "api_client_authorizations", "keep_services", "computed_permissions", $"collections/{collections[0]}", $"collections/{collections[1]}" };
        var answered = 0;
        for (var first = 0; first < Requests; first += 8)
        {
            await Task.WhenAll(Enumerable.Range(first, 8).Select(i => SendAsync(i, i % 10 == 0 ? Escape(path.Next()) : pick.Pick(paths))).ToArray());
        }

        Assert.InRange(answered, Requests / 20, Requests + 8);

        Task SendAsync(int i, string where)
        {
            var request = (i % 5) switch
            {
                0 => new HttpRequestMessage(HttpMethod.Get, $"/arvados/v1/{where}?filters={Escape(filter.Next())}"),
                1 => new HttpRequestMessage(HttpMethod.Get, $"/arvados/v1/{where}?{Encoding.Latin1.GetString(form.Next().Where(b => b is > 32 and < 127 and not (byte)'#').ToArray())}"),
                2 => With(new HttpRequestMessage(HttpMethod.Post, $"/arvados/v1/{where}"), form.Next(), "application/x-www-form-urlencoded"),
                3 => With(new HttpRequestMessage(HttpMethod.Put, $"/arvados/v1/{where}"), body.Next(), "application/json"),
                _ => With(new HttpRequestMessage(HttpMethod.Post, $"/arvados/v1/{where}"), body.Next(), "application/json"),
            };
            return CheckAsync(i, request);
        }

        async Task CheckAsync(int i, HttpRequestMessage request)
        {
            using var message = request;
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", i % 3 == 0 ? _catalog.AdminToken : _catalog.ActiveToken);
            var sent = request.Content is null ? "" : Convert.ToBase64String(await request.Content.ReadAsByteArrayAsync());
            var answer = await _catalog.SendAsync(request);
            Assert.True(answer.Status < 500, string.Create(CultureInfo.InvariantCulture, $"request {i}: {request.Method} {request.RequestUri} {sent}: {answer.Status} {answer.Text}"));
            Interlocked.Add(ref answered, answer.Status == 200 ? 1 : 0);
        }
    }

    [Fact]
    public async Task Imports_are_taken_in_or_refused_with_the_line()
    {
        var export = (await _catalog.ExportAsync(_catalog.AdminToken)).Split('\n').Where(line => line.Length > 0).ToArray();
        var mutator = new ByteMutator(11, [.. export.GroupBy(line => line[..24]).Select(group => group.First())]);
        for (var i = 0; i < Requests / 30; i++)
        {
            using var request = With(new HttpRequestMessage(HttpMethod.Post, "/keepfs/v1/catalog/import?replace=true" + (i % 2 == 0 ? "&skip_unknown=true" : "")), [.. mutator.Next(), (byte)'\n', .. mutator.Next()], "application/x-ndjson");
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _catalog.AdminToken);
            var sent = Convert.ToBase64String(await request.Content!.ReadAsByteArrayAsync());
            var answer = await _catalog.SendAsync(request);
            Assert.True(answer.Status < 500, $"import {i}: {sent}: {answer.Status} {answer.Text}");
        }
    }

    private static HttpRequestMessage With(HttpRequestMessage request, byte[] body, string contentType)
    {
        request.Content = new ByteArrayContent(body);
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(contentType);
        return request;
    }

    private static string Escape(byte[] bytes) => string.Concat(bytes.Select(b => char.IsAsciiLetterOrDigit((char)b) ? ((char)b).ToString() : $"%{b:x2}"));

    /// <summary>Null when it was refused.</summary>
    private static async Task<T?> AcceptAsync<T>(string input, Func<Task<T>> work)
        where T : class
    {
        try
        {
            return await work();
        }
        catch (ApiException e) when (e.Status < 500)
        {
            return null;
        }
        catch (BadHttpRequestException e) when (e.StatusCode < 500)
        {
            return null;
        }
        catch (Exception e)
        {
            throw new InvalidOperationException(input, e);
        }
    }
}
