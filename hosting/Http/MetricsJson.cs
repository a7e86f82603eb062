using System.Globalization;
using System.Text;
using System.Text.Json;

namespace KeepFs.Hosting.Http;

/// <summary>Collects samples and writes them as JSON: the protobuf form of Prometheus's MetricFamily, one object for each metric.</summary>
internal sealed class MetricsJson
{
    private readonly List<(string Metric, string Type, string Help, List<Sample> Samples)> _families = [];

    /// <summary>Adds a sample; with a count it is a summary, whose value is the sum.</summary>
    public void Add(string metric, string type, string help, double value, long? count, ReadOnlySpan<(string Name, string Value)> labels)
    {
        if (_families.Count == 0 || _families[^1].Metric != metric)
        {
            _families.Add((metric, type, help, []));
        }

        _families[^1].Samples.Add(new Sample(labels.ToArray(), value, count));
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartArray();
            foreach (var (metric, type, help, samples) in _families)
            {
                json.WriteStartObject();
                json.WriteString("name", metric);
                json.WriteString("help", help);
                json.WriteString("type", type);
                json.WriteStartArray("metric");
                samples.ForEach(sample => Write(json, type, sample));
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        return Encoding.UTF8.GetString(buffer.ToArray()) + "\n";
    }

    private static void Write(Utf8JsonWriter json, string type, Sample sample)
    {
        json.WriteStartObject();
        if (sample.Labels.Length > 0)
        {
            json.WriteStartArray("label");
            foreach (var (name, value) in sample.Labels)
            {
                json.WriteStartObject();
                json.WriteString("name", name);
                json.WriteString("value", value);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        json.WriteStartObject(type.ToLowerInvariant());
        if (sample.Count is { } count)
        {
            // 64-bit numbers are text in this form, so that no reader rounds them.
            json.WriteString("sampleCount", count.ToString(CultureInfo.InvariantCulture));
            json.WriteNumber("sampleSum", sample.Value);
        }
        else
        {
            json.WriteNumber("value", sample.Value);
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private readonly record struct Sample((string Name, string Value)[] Labels, double Value, long? Count);
}
