using System.Net.Http.Headers;
using System.Text;
using System.Xml.Linq;
using KeepFs.Cli.Settings;

namespace KeepFs.Cli.Demo;

/// <summary>The few WebDAV requests that the demo makes, as any client would.</summary>
internal sealed class WebDavListing(HttpClient http, Uri root, string token)
{
    /// <summary>Opens a file below the root.</summary>
    public async Task<Stream> OpenAsync(string path, CancellationToken cancellationToken)
    {
        using var request = Request(HttpMethod.Get, path);
        var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if (!response.IsSuccessStatusCode)
        {
            throw new IOException($"GET {path} answered {(int)response.StatusCode}");
        }

        return await response.Content.ReadAsStreamAsync(cancellationToken);
    }

    /// <summary>Every name below the root, directories with a slash, one PROPFIND of depth 1 for each directory.</summary>
    public async Task<List<string>> ListAsync(CancellationToken cancellationToken)
    {
        var names = new List<string>();
        var left = new Stack<string>([""]);
        while (left.TryPop(out var folder))
        {
            using var request = Request(new HttpMethod("PROPFIND"), folder);
            request.Headers.TryAddWithoutValidation("Depth", "1");
            using var response = await http.SendAsync(request, cancellationToken);
            if ((int)response.StatusCode != 207)
            {
                throw new IOException($"PROPFIND /{folder} answered {(int)response.StatusCode}");
            }

            var document = XDocument.Parse(await response.Content.ReadAsStringAsync(cancellationToken), LoadOptions.PreserveWhitespace);
            XNamespace dav = "DAV:";
            foreach (var href in document.Descendants(dav + "href").Select(element => element.Value))
            {
                var path = Uri.UnescapeDataString(href)[root.AbsolutePath.Length..];
                if (path.TrimEnd('/') == folder.TrimEnd('/'))
                {
                    continue;
                }

                names.Add(path);
                if (path.EndsWith('/'))
                {
                    left.Push(path);
                }
            }
        }

        return names;
    }

    public static WebDavListing Open(HttpClient http, Uri webDav, ArvadosSettings settings, string collection) => new(http, new Uri(webDav, $"by_id/{collection}/"), settings.Token);

    private HttpRequestMessage Request(HttpMethod method, string path)
    {
        var escaped = string.Join('/', path.Split('/').Select(Uri.EscapeDataString));
        var request = new HttpRequestMessage(method, new Uri(root.AbsoluteUri + escaped));
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes("demo:" + token)));
        return request;
    }
}
