using System.Globalization;
using System.Text;

namespace KeepFs.Hosting.Http;

/// <summary>Writes the text exposition format of Prometheus, and the same as JSON. Samples of one metric must follow each other.</summary>
public sealed class MetricsText
{
    private readonly StringBuilder _text = new();
    private readonly MetricsJson _json = new();
    private string _metric = "";

    /// <summary>Adds a value that may go up and down.</summary>
    public MetricsText Gauge(string name, string help, double value, params ReadOnlySpan<(string Name, string Value)> labels) =>
        Sample(name, name, "gauge", help, value, labels);

    /// <summary>Adds a value that only grows.</summary>
    public MetricsText Counter(string name, string help, double value, params ReadOnlySpan<(string Name, string Value)> labels) =>
        Sample(name, name, "counter", help, value, labels);

    /// <summary>Adds a summary without quantiles.</summary>
    public MetricsText Summary(string name, string help, double sum, long count, params ReadOnlySpan<(string Name, string Value)> labels)
    {
        _json.Add(name, "SUMMARY", help, sum, count, labels);
        Write(name, name + "_sum", "summary", help, sum, labels);
        return Write(name, name + "_count", "summary", help, count, labels);
    }

    /// <summary>The same samples as JSON, in the form that Prometheus's own libraries give a list of metric families.</summary>
    public string ToJson() => _json.ToString();

    /// <inheritdoc/>
    public override string ToString() => _text.ToString();

    private MetricsText Sample(string metric, string name, string type, string help, double value, ReadOnlySpan<(string Name, string Value)> labels)
    {
        _json.Add(metric, type.ToUpperInvariant(), help, value, null, labels);
        return Write(metric, name, type, help, value, labels);
    }

    private MetricsText Write(string metric, string name, string type, string help, double value, ReadOnlySpan<(string Name, string Value)> labels)
    {
        if (_metric != metric)
        {
            _text.Append(CultureInfo.InvariantCulture, $"# HELP {metric} {help}\n# TYPE {metric} {type}\n");
            _metric = metric;
        }

        _text.Append(name);
        var separator = '{';
        foreach (var (label, text) in labels)
        {
            var escaped = text.Replace("\\", @"\\", StringComparison.Ordinal)
                .Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
            _text.Append(separator).Append(CultureInfo.InvariantCulture, $"{label}=\"{escaped}\"");
            separator = ',';
        }

        _text.Append(labels.IsEmpty ? "" : "}").Append(CultureInfo.InvariantCulture, $" {value}\n");
        return this;
    }
}
