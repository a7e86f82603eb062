namespace KeepFs.Cli.Doctor;

/// <summary>How bad it is.</summary>
internal enum Severity
{
    /// <summary>As it should be.</summary>
    Ok,

    /// <summary>It works, but something will go wrong, or is not as safe as it could be.</summary>
    Warn,

    /// <summary>It does not work.</summary>
    Fail,
}

/// <summary>One thing that was looked at.</summary>
/// <param name="Severity">How bad it is.</param>
/// <param name="Area">What kind of thing: <c>config</c>, <c>volume</c>, <c>clock</c>...</param>
/// <param name="Subject">Which one; a path of the configuration, a folder, a URL.</param>
/// <param name="Message">What was found.</param>
/// <param name="Advice">What to do; empty when all is well.</param>
internal sealed record Finding(Severity Severity, string Area, string Subject, string Message, string Advice);
