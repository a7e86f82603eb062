using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace KeepFs.Conformance.Tests;

/// <summary>Runs programs with a time limit; whoever exceeds it is killed with all its children and fails the test.</summary>
internal static class Shell
{
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    private static readonly IReadOnlyDictionary<string, string> Nothing = new Dictionary<string, string>();

    /// <summary>Runs one program.</summary>
    public static async Task<ShellResult> RunAsync(
        string program, IReadOnlyCollection<string> arguments, IReadOnlyDictionary<string, string>? environment = null, string? folder = null, TimeSpan? limit = null)
    {
        using var process = Start(program, arguments, environment ?? Nothing, folder);
        process.StandardInput.Close();
        using var patience = new CancellationTokenSource(limit ?? Limit);
        var output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        var errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
        try
        {
            await Task.WhenAll(output, errors, process.WaitForExitAsync(CancellationToken.None)).WaitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException(
                $"{program} {string.Join(' ', arguments)} did not end in time.\n{await SoFarAsync(output)}\n{await SoFarAsync(errors)}");
        }

        return new ShellResult(process.ExitCode, await output, await errors);
    }

    /// <summary>Runs a bash script that ends at the first failing command.</summary>
    public static Task<ShellResult> ScriptAsync(
        string script, IReadOnlyDictionary<string, string>? environment = null, string? folder = null, TimeSpan? limit = null) =>
        RunAsync("bash", ["-c", "set -eu -o pipefail\n" + script], environment, folder, limit);

    /// <summary>Starts a program that goes on; the caller kills and disposes it.</summary>
    public static Process Start(string program, IReadOnlyCollection<string> arguments, IReadOnlyDictionary<string, string> environment, string? folder)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
            StandardErrorEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
            WorkingDirectory = folder ?? "/",
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new InvalidOperationException($"The tests need the program \"{program}\": apt-get install {PackageOf(program)} ({e.Message})", e);
        }
    }

    /// <summary>Sends a signal such as <c>TERM</c>.</summary>
    public static async Task SignalAsync(Process process, string signal) =>
        _ = await RunAsync("kill", ["-" + signal, process.Id.ToString(CultureInfo.InvariantCulture)]);

    private static string PackageOf(string program) => program switch
    {
        "fusermount3" => "fuse3",
        "setfattr" or "getfattr" => "attr",
        _ => program,
    };

    private static async Task<string> SoFarAsync(Task<string> text) =>
        await Task.WhenAny(text, Task.Delay(TimeSpan.FromSeconds(5))) == text ? await text : "(output is still open)";
}
