using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using KeepFs.Engine.Client;
using KeepFs.Hosting.Configuration;
using KeepFs.Hosting.Http;

namespace KeepFs.WebDav.Page;

/// <summary>
/// The keepstores as the catalogue lists them, and what each says of itself: health and metrics with the ManagementToken, volumes with the SystemRootToken.
/// What a server does not tell is said so. The caller makes sure that only administrators see it.
/// </summary>
internal sealed class StatusPage(ClusterConfig config, HttpClient http, Uri apiRoot, RecentErrors? errors, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <summary>A screen full; the rest is in the logs.</summary>
    private const int MaxShownErrors = 50;

    public async Task WriteAsync(StringBuilder page, CancellationToken cancellationToken)
    {
        using var directory = new ServiceDirectory(http, apiRoot, config.SystemRootToken, time);
        page.Append("<header><nav aria-label=\"Where you are\"><ol><li><a href=\"/\">Keep</a></li><li><h1 aria-current=\"page\">Status</h1></li></ol></nav></header>\n<main>\n");
        page.Append(System.Globalization.CultureInfo.InvariantCulture, $"<p>Cluster {PageText.Encode(config.ClusterId)}; {config.Collections.DefaultReplication} copies of each block unless a collection wants others.</p>\n");
        IReadOnlyList<KeepService> services;
        try
        {
            services = await directory.GetAsync(refresh: false, cancellationToken);
        }
        catch (HttpRequestException)
        {
            page.Append("<p class=\"problem\">The catalogue does not answer: the list of keepstores is not known.</p></main>\n");
            return;
        }

        page.Append("<table><caption class=\"unseen\">Keepstores</caption><thead><tr><th scope=\"col\">Keepstore</th><th scope=\"col\">Health</th><th scope=\"col\">Volumes and replication</th><th scope=\"col\">Space</th><th scope=\"col\">Errors since its start</th></tr></thead><tbody>\n");
        var answers = await Task.WhenAll(services.Select(service => AskAsync(service, cancellationToken)));
        foreach (var (service, health, volumes, space, counts, _) in answers)
        {
            page.Append("<tr><td class=\"name\">").Append(PageText.Encode(service.BaseUri.Authority)).Append(service.IsReadOnly ? " (read-only)" : "").Append("</td><td>").Append(PageText.Encode(health))
                .Append("</td><td>").Append(PageText.Encode(volumes)).Append("</td><td>").Append(PageText.Encode(space)).Append("</td><td>").Append(PageText.Encode(counts)).Append("</td></tr>\n");
        }

        page.Append("</tbody></table>\n");
        AddErrors(page, answers.Select(answer => (Name: answer.Service.BaseUri.Authority, answer.Errors)).Prepend((Name: "keep-web", Errors: errors?.List())));
        page.Append("</main>\n");
    }

    /// <summary>Of each process once, under the name of the first server that told it.</summary>
    private static void AddErrors(StringBuilder page, IEnumerable<(string Name, RecentErrorList? Errors)> lists)
    {
        var known = lists.Where(list => list.Errors is not null).DistinctBy(list => list.Errors!.Process).ToList();
        var newest = known.SelectMany(list => list.Errors!.Items.Select(item => (list.Name, Item: item))).OrderByDescending(entry => entry.Item.At).Take(MaxShownErrors).ToList();
        page.Append("<h2>Recent warnings and errors</h2>\n");
        if (newest.Count == 0)
        {
            page.Append(known.Count == 0 ? "<p>Not told: see the logs of the servers.</p>\n" : "<p>None.</p>\n");
            return;
        }

        page.Append("<table><caption class=\"unseen\">Recent warnings and errors</caption><thead><tr><th scope=\"col\">When</th><th scope=\"col\">Where</th><th scope=\"col\">What</th></tr></thead><tbody>\n");
        foreach (var (name, item) in newest)
        {
            page.Append("<tr><td>").Append(PageText.Time(item.At)).Append("</td><td>").Append(PageText.Encode(name)).Append("</td><td class=\"name\">").Append(PageText.Encode(item.Level)).Append(": ")
                .Append(PageText.Encode(item.Text)).Append("</td></tr>\n");
        }

        page.Append("</tbody></table>\n");
    }

    private async Task<(KeepService Service, string Health, string Volumes, string Space, string Counts, RecentErrorList? Errors)> AskAsync(KeepService service, CancellationToken cancellationToken)
    {
        var health = config.ManagementToken.Length == 0 ? "not told: no ManagementToken is set"
            : await GetAsync(service, "_health/ping", config.ManagementToken, cancellationToken) is { } answer ? answer.Contains("OK", StringComparison.Ordinal) ? "OK" : "not well" : "does not answer";
        var metrics = await GetAsync(service, "metrics", config.ManagementToken, cancellationToken);
        return (service, health,
            Describe(await GetAsync(service, "mounts", config.SystemRootToken, cancellationToken), Volumes),
            metrics is null ? "not told" : Space(metrics), metrics is null ? "not told" : Errors(metrics),
            config.ManagementToken.Length > 0 && await GetAsync(service, "_inspect/errors", config.ManagementToken, cancellationToken) is { } list ? ErrorsOf(list) : null);
    }

    private static RecentErrorList? ErrorsOf(string json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, RecentErrorJson.Default.RecentErrorList) is { Items: not null, Process: not null } list ? list : null;
        }
        catch (JsonException)
        {
            // A keepstore that is not ours.
            return null;
        }
    }

    private static string Describe(string? json, Func<JsonElement, string> text)
    {
        try
        {
            using var document = json is null ? null : JsonDocument.Parse(json);
            return document is null ? "not told" : text(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            return "not told";
        }
    }

    private static string Volumes(JsonElement mounts) => string.Join("; ", mounts.EnumerateArray().Select(mount =>
        $"{mount.GetProperty("uuid").GetString()}: {(mount.TryGetProperty("replication", out var copies) ? copies.GetInt32() : 1)}x"
        + (mount.TryGetProperty("storage_classes", out var classes) && classes.ValueKind == JsonValueKind.Object
            ? " " + string.Join(", ", classes.EnumerateObject().Where(entry => entry.Value.ValueKind == JsonValueKind.True).Select(entry => entry.Name)) : "")));

    private static string Space(string metrics)
    {
        var totals = Samples(metrics, "keepfs_keepstore_volume_total_bytes").ToDictionary();
        var known = Samples(metrics, "keepfs_keepstore_volume_free_bytes").Where(sample => totals.ContainsKey(sample.Key))
            .Select(sample => $"{PageText.Size((long)sample.Value)} free of {PageText.Size((long)totals[sample.Key])}").ToArray();
        return known.Length == 0 ? "not told" : string.Join("; ", known);
    }

    private static string Errors(string metrics)
    {
        var found = ((string, string)[])[("failed_reads", "failed reads"), ("failed_writes", "failed writes"), ("corrupt_copies", "corrupt copies"), ("repaired_copies", "of them repaired")];
        return string.Join(", ", found.Select(entry => (Count: Samples(metrics, "keepfs_keepstore_" + entry.Item1).Sum(sample => sample.Value), Text: entry.Item2))
            .Where(entry => entry.Count > 0).Select(entry => FormattableString.Invariant($"{entry.Count:0} {entry.Text}"))) is { Length: > 0 } text ? text : "none";
    }

    /// <summary>Values of one metric by their labels.</summary>
    private static IEnumerable<KeyValuePair<string, double>> Samples(string metrics, string name)
    {
        foreach (var line in metrics.Split('\n'))
        {
            var space = line.LastIndexOf(' ');
            if (space > name.Length - 1 && line.StartsWith(name, StringComparison.Ordinal) && line[name.Length] is ' ' or '{'
                && double.TryParse(line.AsSpan(space + 1), System.Globalization.CultureInfo.InvariantCulture, out var value))
            {
                yield return KeyValuePair.Create(line[name.Length..space], value);
            }
        }
    }

    /// <summary>Null when there is no good answer in time.</summary>
    private async Task<string?> GetAsync(KeepService service, string path, string token, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(service.BaseUri, path));
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            using var response = await http.SendAsync(request, both.Token);
            return response.IsSuccessStatusCode ? await response.Content.ReadAsStringAsync(both.Token) : null;
        }
        catch (Exception e) when (e is HttpRequestException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return null;
        }
    }
}
