using System.Buffers.Text;
using System.Net;
using System.Text;

namespace KeepFs.WebDav.Tests;

/// <summary>Each way to bring a token with each kind of token (keep-web.md 7).</summary>
public sealed class TokenMatrixTests(TestSite site) : IClassFixture<TestSite>
{
    public static TheoryData<string, string, int> Matrix
    {
        get
        {
            var rows = new TheoryData<string, string, int>();
            foreach (var carrier in (string[])["header", "OAuth2", "Basic", "cookie", "path", "query", "POST"])
            {
                foreach (var (kind, status) in ((string, int)[])[("good", 200), ("truncated", 401), ("other user's", 404), ("bogus", 401), ("empty", 401)])
                {
                    // A sharing link with a bad token says no more than that there is nothing.
                    rows.Add(carrier, kind, carrier == "path" && status != 200 ? 404 : status);
                }
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Matrix))]
    public async Task Token_of_each_kind_by_each_carrier_gets_its_status(string carrier, string kind, int status)
    {
        var uuid = await site.CreateCollectionAsync();
        await site.PutAsync($"/c={uuid}/f", "secret");
        var token = kind switch { "good" => site.Token, "truncated" => site.Token[..^1], "other user's" => site.OtherToken, "bogus" => "bogus", _ => "" };
        var (answer, text) = await GetAsync(carrier, uuid, token);
        Assert.Equal((HttpStatusCode)status, answer);
        Assert.Equal(status == 200, text == "secret");
    }

    /// <summary>As a browser would, with its redirects and its cookie.</summary>
    private async Task<(HttpStatusCode Status, string Text)> GetAsync(string carrier, string uuid, string token)
    {
        var path = carrier switch { "path" => $"/c={uuid}/t={Uri.EscapeDataString(token)}/f", "query" => $"/c={uuid}/f?api_token={Uri.EscapeDataString(token)}", _ => $"/c={uuid}/f" };
        using var request = site.Request(carrier == "POST" ? "POST" : "GET", path, null, token: "");
        _ = carrier switch
        {
            "header" => request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + token),
            "OAuth2" => request.Headers.TryAddWithoutValidation("Authorization", "OAuth2 " + token),
            "Basic" => request.Headers.TryAddWithoutValidation("Authorization", "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes("user:" + token))),
            "cookie" => request.Headers.TryAddWithoutValidation("Cookie", "arvados_api_token=" + Base64Url.EncodeToString(Encoding.UTF8.GetBytes(token))),
            _ => true,
        };
        request.Content = carrier == "POST" ? new FormUrlEncodedContent([KeyValuePair.Create("api_token", token)]) : null;
        using var response = await site.Http.SendAsync(request);
        if (response.StatusCode != HttpStatusCode.SeeOther)
        {
            return (response.StatusCode, await response.Content.ReadAsStringAsync());
        }

        var location = response.Headers.Location!.OriginalString;
        Assert.DoesNotContain("api_token", location, StringComparison.Ordinal);
        using var next = site.Request("GET", location, null, token: "");
        if (response.Headers.TryGetValues("Set-Cookie", out var cookies))
        {
            next.Headers.TryAddWithoutValidation("Cookie", cookies.Single().Split(';')[0]);
        }

        using var second = await site.Http.SendAsync(next);
        return (second.StatusCode, await second.Content.ReadAsStringAsync());
    }
}
