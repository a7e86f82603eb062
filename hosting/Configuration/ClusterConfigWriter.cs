using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text;
using KeepFs.Engine.Blocks;

namespace KeepFs.Hosting.Configuration;

/// <summary>Writes a configuration as YAML that <see cref="ClusterConfigLoader"/> loads back to the same values. Defaults are left out.</summary>
public static class ClusterConfigWriter
{
    /// <summary>The whole file, secrets included: give it a mode that only its owner can read.</summary>
    public static string ToYaml(ClusterConfig config)
    {
        var yaml = new StringBuilder("Clusters:\n").Append(CultureInfo.InvariantCulture, $"  {config.ClusterId}:");
        var start = yaml.Length;
        WriteRecord(yaml, config, new ClusterConfig { ClusterId = config.ClusterId }, 2);
        return yaml.Length == start ? yaml.Append(" {}\n").ToString() : yaml.ToString();
    }

    private static void WriteRecord(StringBuilder yaml, object record, object defaults, int depth)
    {
        var start = yaml.Length;
        foreach (var property in record.GetType().GetProperties(BindingFlags.Instance | BindingFlags.Public).Where(property => property.CanWrite))
        {
            WriteEntry(yaml, property.Name, property.PropertyType, property.GetValue(record)!, property.GetValue(defaults), depth);
        }

        if (yaml.Length > start)
        {
            yaml.Insert(start, '\n');
        }
    }

    /// <summary>Writes <c>key: value</c>, or nothing when the value is the default and the key need not be there for itself.</summary>
    private static void WriteEntry(StringBuilder yaml, string key, Type type, object value, object? defaultValue, int depth)
    {
        var start = yaml.Length;
        yaml.Append(' ', depth * 2).Append(Key(key)).Append(':');
        var afterKey = yaml.Length;
        if (ConfigBinder.IsScalar(type))
        {
            if (!Equals(value, defaultValue))
            {
                yaml.Append(CultureInfo.InvariantCulture, $" {Scalar(value)}\n");
            }
        }
        else if (ConfigBinder.ValueTypeOfDictionary(type) is { } valueType)
        {
            var content = new StringBuilder();
            // Without the copy a generic dictionary would enumerate pairs of a type that is not known here.
            foreach (DictionaryEntry entry in new Hashtable((IDictionary)value).Cast<DictionaryEntry>().OrderBy(entry => (string)entry.Key, StringComparer.Ordinal))
            {
                WriteEntry(content, (string)entry.Key, valueType, entry.Value!, null, depth + 1);
            }

            yaml.Append(content.Length > 0 ? "\n" : "").Append(content);
        }
        else
        {
            WriteRecord(yaml, value, defaultValue ?? Activator.CreateInstance(type)!, depth + 1);
        }

        if (yaml.Length == afterKey && defaultValue is null)
        {
            yaml.Append(" {}\n");
        }
        else if (yaml.Length == afterKey)
        {
            yaml.Length = start;
        }
    }

    private static string Scalar(object value) => value switch
    {
        bool flag => flag ? "true" : "false",
        TimeSpan duration => GoDuration.Format(duration),
        string text => Quote(text),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    private static string Key(string key) => key.All(char.IsAsciiLetterOrDigit) && !key.All(char.IsAsciiDigit) ? key : Quote(key);

    private static string Quote(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (var character in text)
        {
            _ = character switch
            {
                '"' or '\\' => quoted.Append('\\').Append(character),
                < ' ' or (>= (char)0x7f and < (char)0xa0) or '\u2028' or '\u2029' or '\ufeff' => quoted.Append(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}"),
                _ => quoted.Append(character),
            };
        }

        return quoted.Append('"').ToString();
    }
}
