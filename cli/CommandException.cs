namespace KeepFs.Cli;

/// <summary>A command cannot do what was asked; the message is for the user and says what to do. Exit code 1 unless given.</summary>
internal sealed class CommandException(string message, int exitCode = 1, Exception? inner = null) : Exception(message, inner)
{
    public int ExitCode => exitCode;
}
