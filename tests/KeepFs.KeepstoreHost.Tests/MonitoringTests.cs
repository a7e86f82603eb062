using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.RegularExpressions;
using KeepFs.Hosting.Configuration;
using KeepFs.Testing.Volumes;
using YamlDotNet.RepresentationModel;

namespace KeepFs.KeepstoreHost.Tests;

/// <summary>The dashboard and the alert rules of docs/monitoring name only what a running keepstore serves; <c>/metrics.json</c> serves the same.</summary>
public sealed partial class MonitoringTests : IAsyncLifetime, IDisposable
{
    private static readonly string[] LabelsOfPrometheus = ["instance", "job"];
    private readonly TemporaryFolder _volume = new();
    private readonly TemporaryFolder _mappings = new();
    private TestKeepstore _keepstore = null!;

    public async Task InitializeAsync()
    {
        // A gateway volume beside an ordinary one, so that the metrics of both are served.
        var config = TestKeepstore.ConfigFor(_volume);
        var gateway = new VolumeConfig
        {
            Driver = GatewayDriver.Directory,
            DriverParameters = new Dictionary<string, string> { ["MappingsDir"] = _mappings.Path, ["Root"] = _mappings.Path },
        };
        _keepstore = await TestKeepstore.StartAsync(config with { Volumes = config.Volumes.Append(new("zzzzz-nyw5e-gatewaygateway0", gateway)).ToDictionary() });
        await _keepstore.ExpectAsync(HttpStatusCode.OK, "PUT", "/acbd18db4cc2f85cedef654fccc4a4d8", body: "foo"u8.ToArray());
    }

    public async Task DisposeAsync() => await _keepstore.DisposeAsync();

    public void Dispose()
    {
        _volume.Dispose();
        _mappings.Dispose();
    }

    [Fact]
    public async Task Every_metric_and_label_of_the_dashboard_is_served()
    {
        using var dashboard = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(Folder(), "keepstore-dashboard.json")));
        var panels = dashboard.RootElement.GetProperty("panels").EnumerateArray().ToList();
        var expressions = panels.Where(panel => panel.TryGetProperty("targets", out _))
            .SelectMany(panel => panel.GetProperty("targets").EnumerateArray()).Select(target => target.GetProperty("expr").GetString()!).ToList();

        Assert.True(expressions.Count > 20);
        Assert.Equal(panels.Count, panels.Select(panel => panel.GetProperty("id").GetInt32()).Distinct().Count());
        await CheckAsync(expressions.Append("label_values(arvados_max_concurrent_requests, instance)"));
        Assert.Contains("label_values(arvados_max_concurrent_requests, instance)", dashboard.RootElement.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_metric_and_label_of_the_alert_rules_is_served_and_rules_have_only_known_fields()
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(await File.ReadAllTextAsync(Path.Combine(Folder(), "keepstore-alerts.yml"))));
        var root = (YamlMappingNode)yaml.Documents.Single().RootNode;
        Assert.Equal(["groups"], Keys(root));
        var expressions = new List<string>();
        var names = new HashSet<string>();
        foreach (var group in ((YamlSequenceNode)root["groups"]).Cast<YamlMappingNode>())
        {
            Assert.Equal(["name", "rules"], Keys(group));
            foreach (var rule in ((YamlSequenceNode)group["rules"]).Cast<YamlMappingNode>())
            {
                Assert.Empty(Keys(rule).Except(["alert", "expr", "for", "labels", "annotations"]));
                Assert.True(names.Add(rule["alert"].ToString()));
                Assert.Contains(rule["labels"]["severity"].ToString(), (string[])["critical", "warning"]);
                Assert.Equal(["summary", "description"], Keys((YamlMappingNode)rule["annotations"]));
                Assert.Matches(@"\A[0-9]+[mhd]\z", rule.Children.TryGetValue("for", out var duration) ? duration.ToString() : "0m");
                expressions.Add(rule["expr"].ToString());
            }
        }

        Assert.True(expressions.Count > 10);
        await CheckAsync(expressions);
    }

    [Fact]
    public async Task Json_has_the_same_samples_as_the_text()
    {
        var text = await _keepstore.ExpectAsync(HttpStatusCode.OK, "GET", "/metrics", "manage");
        await _keepstore.ExpectAsync(HttpStatusCode.Unauthorized, "GET", "/metrics.json", token: null);
        using var answer = await _keepstore.SendAsync("GET", "/metrics.json", "manage");
        Assert.Equal("application/json", answer.Content.Headers.ContentType!.ToString());
        using var json = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());

        var families = json.RootElement.EnumerateArray().ToDictionary(family => family.GetProperty("name").GetString()!);
        Assert.Equal(TypeLine().Matches(text).Select(match => match.Groups[1].Value), families.Keys);
        foreach (Match line in TypeLine().Matches(text))
        {
            Assert.Equal(line.Groups[2].Value.ToUpperInvariant(), families[line.Groups[1].Value].GetProperty("type").GetString());
        }

        var writes = families["keepfs_keepstore_written_bytes"].GetProperty("metric").EnumerateArray().Single();
        Assert.Equal(3, writes.GetProperty("counter").GetProperty("value").GetDouble());
        var puts = families["request_duration_seconds"].GetProperty("metric").EnumerateArray()
            .Single(sample => sample.GetProperty("label").EnumerateArray().Any(label => label.GetProperty("value").GetString() == "put"));
        Assert.Equal("1", puts.GetProperty("summary").GetProperty("sampleCount").GetString());
    }

    private async Task CheckAsync(IEnumerable<string> expressions)
    {
        var served = new Dictionary<string, HashSet<string>> { ["up"] = [] };
        foreach (Match sample in SampleLine().Matches(await _keepstore.ExpectAsync(HttpStatusCode.OK, "GET", "/metrics", "manage")))
        {
            served[sample.Groups[1].Value] = [.. LabelName().Matches(sample.Groups[2].Value).Select(label => label.Groups[1].Value)];
        }

        var faults = new List<string>();
        foreach (var expression in expressions)
        {
            Assert.Equal(expression.Count(c => c is '(' or '{' or '['), expression.Count(c => c is ')' or '}' or ']'));
            var bare = Noise().Replace(expression, " ");
            var metrics = Metric().Matches(bare).Select(match => match.Value).Where(name => name is not ("and" or "or" or "unless" or "instance")).ToHashSet();
            faults.AddRange(metrics.Where(name => !served.ContainsKey(name)).Select(name => $"{name} is not served: {expression}"));
            var labels = LabelMatch().Matches(expression).Select(match => match.Groups[1].Value)
                .Concat(Grouping().Matches(expression).SelectMany(match => match.Groups[1].Value.Split(',')).Select(name => name.Trim()));
            faults.AddRange(labels.Where(name => !LabelsOfPrometheus.Contains(name) && !metrics.Any(metric => served.GetValueOrDefault(metric)?.Contains(name) == true))
                .Select(name => $"no metric has the label {name}: {expression}"));
            Assert.NotEmpty(metrics);
        }

        Assert.Empty(faults);
    }

    private static IEnumerable<string> Keys(YamlMappingNode node) => node.Children.Keys.Select(key => key.ToString());

    private static string Folder([CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", "..", "docs", "monitoring"));

    [GeneratedRegex(@"^([a-z_]+)(\{.*\})? [-+0-9.eE]+$", RegexOptions.Multiline)]
    private static partial Regex SampleLine();

    [GeneratedRegex(@"^# TYPE (\S+) (\S+)$", RegexOptions.Multiline)]
    private static partial Regex TypeLine();

    [GeneratedRegex(@"([a-z_]+)=""")]
    private static partial Regex LabelName();

    /// <summary>Label matchers, ranges, groupings, and names of functions.</summary>
    [GeneratedRegex(@"\{[^}]*\}|\[[^\]]*\]|\b(?:by|on|without|ignoring) \([^)]*\)|\b[a-z_]+(?= ?\(| (?:by|on) \()")]
    private static partial Regex Noise();

    [GeneratedRegex("[a-zA-Z_][a-zA-Z0-9_]*")]
    private static partial Regex Metric();

    [GeneratedRegex(@"[{,]([a-z_]+)\s*(?:=~|!~|!=|=)")]
    private static partial Regex LabelMatch();

    [GeneratedRegex(@"\b(?:by|on) \(([^)]*)\)")]
    private static partial Regex Grouping();
}
