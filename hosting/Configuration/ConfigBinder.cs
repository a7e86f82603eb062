using System.Globalization;
using KeepFs.Engine.Blocks;
using YamlDotNet.RepresentationModel;

namespace KeepFs.Hosting.Configuration;

/// <summary>
/// Fills config records from YAML nodes by property name, collecting faults and unknown keys instead of stopping at the first. Knows
/// the types that config records use: text, numbers, booleans, durations, records, and dictionaries by text.
/// </summary>
internal sealed class ConfigBinder(List<string> faults, List<string> warnings)
{
    public object? Bind(Type type, YamlNode node, string path)
    {
        if (ValueTypeOfDictionary(type) is { } valueType)
        {
            return BindDictionary(type, valueType, node, path);
        }

        if (IsScalar(type))
        {
            return BindScalar(type, node, path);
        }

        var record = Activator.CreateInstance(type)!;
        foreach (var (key, value, keyPath) in Entries(node, path))
        {
            if (type.GetProperty(key) is not { CanWrite: true } property)
            {
                warnings.Add($"{keyPath}: not known here, ignored (line {value.Start.Line})");
            }
            else if (Bind(property.PropertyType, value, keyPath) is { } bound)
            {
                property.SetValue(record, bound);
            }
        }

        return record;
    }

    public IEnumerable<(string Key, YamlNode Value, string Path)> Entries(YamlNode node, string path)
    {
        if (node is YamlScalarNode { Value: null or "" or "~" or "null" })
        {
            return []; // "Key:" without a value leaves the defaults.
        }

        if (node is not YamlMappingNode mapping)
        {
            faults.Add($"{path}: expected keys and values (line {node.Start.Line})");
            return [];
        }

        return mapping.Children.Select(entry => (Key: entry.Key.ToString(), entry.Value, $"{path}.{entry.Key}"));
    }

    public static bool IsScalar(Type type) => type == typeof(string) || type == typeof(TimeSpan) || type.IsPrimitive;

    public static Type? ValueTypeOfDictionary(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyDictionary<,>) ? type.GetGenericArguments()[1] : null;

    private object BindDictionary(Type type, Type valueType, YamlNode node, string path)
    {
        var dictionary = (System.Collections.IDictionary)Activator.CreateInstance(typeof(Dictionary<,>).MakeGenericType(type.GetGenericArguments()))!;
        foreach (var (key, value, keyPath) in Entries(node, path))
        {
            if (Bind(valueType, value, keyPath) is { } bound)
            {
                dictionary[key] = bound;
            }
        }

        return dictionary;
    }

    private object? BindScalar(Type type, YamlNode node, string path)
    {
        if (node is not YamlScalarNode { Value: { } text } scalar)
        {
            faults.Add($"{path}: expected one value (line {node.Start.Line})");
            return null;
        }

        if (type == typeof(string))
        {
            return text is "~" or "null" && scalar.Style == YamlDotNet.Core.ScalarStyle.Plain ? "" : text;
        }

        object? value = type switch
        {
            _ when type == typeof(bool) => text.ToUpperInvariant() switch { "TRUE" or "YES" or "ON" => true, "FALSE" or "NO" or "OFF" => false, _ => null },
            _ when type == typeof(TimeSpan) => GoDuration.TryParse(text, out var duration) ? duration : null,
            _ when type == typeof(int) => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null,
            _ when type == typeof(long) => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null,
            _ when type == typeof(double) => double.TryParse(text, CultureInfo.InvariantCulture, out var number) ? number : null,
            _ => throw new NotSupportedException($"Config records cannot hold {type}."),
        };
        if (value is null)
        {
            var wanted = type == typeof(bool) ? "true or false" : type == typeof(TimeSpan) ? "a duration like 336h0m0s" : "a number that fits";

            // The text itself is shown: no secret has one of these types.
            faults.Add($"{path}: '{text}' is not {wanted} (line {node.Start.Line})");
        }

        return value;
    }
}
