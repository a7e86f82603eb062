using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using System.Xml.Linq;

namespace KeepFs.Conformance.Tests;

/// <summary>Plain HTTP to the services of a cluster, with any token or none.</summary>
internal sealed class Http : IDisposable
{
    private static readonly XNamespace Dav = "DAV:";
    private readonly KeepFsProcess _cluster;
    private readonly HttpClient _client;

    public Http(KeepFsProcess cluster)
    {
        _cluster = cluster;
#pragma warning disable CA5399, CA5400 // The cluster's certificate is its own.
        _client = new HttpClient(new HttpClientHandler { ServerCertificateCustomValidationCallback = static (_, _, _, _) => true, AllowAutoRedirect = false, UseProxy = false });
#pragma warning restore CA5399, CA5400
    }

    /// <summary>A request to the catalogue; <paramref name="token"/> null sends none.</summary>
    public Task<HttpResponseMessage> ApiAsync(HttpMethod method, string path, string? token, JsonNode? body = null)
    {
        var request = new HttpRequestMessage(method, $"https://{_cluster.Env["ARVADOS_API_HOST"]}/{path}");
        if (body is not null)
        {
            request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        }

        return SendAsync(request, token);
    }

    /// <summary>A request with the cluster's own token that must succeed; its JSON.</summary>
    public async Task<JsonNode> ApiOkAsync(HttpMethod method, string path, JsonNode? body = null)
    {
        using var response = await ApiAsync(method, path, _cluster.Token, body);
        return await JsonAsync(response);
    }

    public static async Task<JsonNode> JsonAsync(HttpResponseMessage response)
    {
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{(int)response.StatusCode} {text}");
        return JsonNode.Parse(text)!;
    }

    /// <summary>A request to one keepstore.</summary>
    public Task<HttpResponseMessage> KeepstoreAsync(HttpMethod method, int index, string path, string? token, byte[]? body = null)
    {
        var request = new HttpRequestMessage(method, $"http://127.0.0.1:{_cluster.KeepstorePort(index)}/{path}");
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            request.Headers.ExpectContinue = true;
        }

        return SendAsync(request, token);
    }

    /// <summary>A WebDAV request; <paramref name="path"/> is not escaped yet. The token is the password, as people use it.</summary>
    public Task<HttpResponseMessage> WebDavAsync(string method, string path, string? token, byte[]? body = null, string? depth = null)
    {
        var escaped = string.Join('/', path.Split('/').Select(Uri.EscapeDataString));
        var request = new HttpRequestMessage(new HttpMethod(method), _cluster.WebDav.AbsoluteUri + escaped);
        if (token is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes("anybody:" + token)));
        }

        if (depth is not null)
        {
            request.Headers.TryAddWithoutValidation("Depth", depth);
        }

        request.Content = body is null ? null : new ByteArrayContent(body);
        return _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    /// <summary>Paths below a WebDAV directory, directories with a slash at the end.</summary>
    public async Task<List<string>> WebDavListAsync(string root)
    {
        var names = new List<string>();
        var left = new Stack<string>([root.TrimEnd('/') + "/"]);
        while (left.TryPop(out var folder))
        {
            using var response = await WebDavAsync("PROPFIND", folder, _cluster.Token, depth: "1");
            var text = await response.Content.ReadAsStringAsync();
            Assert.True((int)response.StatusCode == 207, $"PROPFIND {folder}: {(int)response.StatusCode} {text}");
            foreach (var href in XDocument.Parse(text).Descendants(Dav + "href").Select(element => Uri.UnescapeDataString(element.Value)))
            {
                var path = (Uri.TryCreate(href, UriKind.Absolute, out var url) && url.Scheme != "file" ? Uri.UnescapeDataString(url.AbsolutePath) : href)[1..];
                if (path.TrimEnd('/') == folder.TrimEnd('/'))
                {
                    continue;
                }

                names.Add(path[(root.TrimEnd('/').Length + 1)..]);
                if (path.EndsWith('/'))
                {
                    left.Push(path);
                }
            }
        }

        return names;
    }

    /// <summary>A file over WebDAV; fails unless it comes whole.</summary>
    public async Task<byte[]> WebDavGetAsync(string path)
    {
        using var response = await WebDavAsync("GET", path, _cluster.Token);
        Assert.True((int)response.StatusCode == 200, $"GET {path}: {(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}");
        return await response.Content.ReadAsByteArrayAsync();
    }

    public void Dispose() => _client.Dispose();

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, string? token)
    {
        if (token is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + token);
        }

        using (request)
        {
            return await _client.SendAsync(request);
        }
    }
}
