using System.Text.Json;
using System.Text.Json.Serialization;

namespace KeepFs.Cli.Doctor;

/// <summary>Collects what the checks found, in the order of the checks. Not for concurrent use.</summary>
internal sealed class Findings(string area)
{
    private readonly List<Finding> _all = [];

    public IReadOnlyList<Finding> All => _all;

    public void Ok(string subject, string message) => _all.Add(new Finding(Severity.Ok, area, subject, message, ""));

    public void Warn(string subject, string message, string advice) => _all.Add(new Finding(Severity.Warn, area, subject, message, advice));

    public void Fail(string subject, string message, string advice) => _all.Add(new Finding(Severity.Fail, area, subject, message, advice));
}

/// <summary>What a whole examination found.</summary>
internal sealed record Diagnosis(IReadOnlyList<Finding> Findings)
{
    /// <summary>0 unless something does not work.</summary>
    public int ExitCode => Count(Severity.Fail) > 0 ? 1 : 0;

    public int Count(Severity severity) => Findings.Count(finding => finding.Severity == severity);

    /// <summary>A line for each finding, with the advice below it, and a summary.</summary>
    public string ToText()
    {
        var lines = Findings.Select(finding =>
            $"{finding.Severity.ToString().ToUpperInvariant(),-4}  {finding.Area,-8}  {finding.Subject}: {finding.Message}{(finding.Advice.Length > 0 ? $"\n                -> {finding.Advice}" : "")}");
        return $"{string.Join('\n', lines)}\n\n{Count(Severity.Ok)} ok, {Count(Severity.Warn)} warnings, {Count(Severity.Fail)} failures\n";
    }

    /// <summary>The same for programs.</summary>
    public string ToJson() => JsonSerializer.Serialize(
        new DiagnosisJson([.. Findings], Count(Severity.Ok), Count(Severity.Warn), Count(Severity.Fail)), DoctorJson.Default.DiagnosisJson) + "\n";
}

internal sealed record DiagnosisJson(Finding[] Checks, int Ok, int Warnings, int Failures);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true, UseStringEnumConverter = true)]
[JsonSerializable(typeof(DiagnosisJson))]
internal sealed partial class DoctorJson : JsonSerializerContext;
