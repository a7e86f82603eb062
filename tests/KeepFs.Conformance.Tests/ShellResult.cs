namespace KeepFs.Conformance.Tests;

/// <summary>How a program ended and what it said.</summary>
internal sealed record ShellResult(int ExitCode, string Output, string Errors)
{
    /// <summary>Lines of standard output.</summary>
    public string[] Lines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Asserts exit code 0; standard output without the last line break.</summary>
    public string Ok()
    {
        Assert.True(ExitCode == 0, $"exit code {ExitCode}\n{Output}\n{Errors}");
        return Output.TrimEnd('\n');
    }

    /// <summary>Asserts another exit code than 0; standard error.</summary>
    public string Failed()
    {
        Assert.True(ExitCode != 0, $"It was expected to fail but said\n{Output}\n{Errors}");
        return Errors;
    }
}
