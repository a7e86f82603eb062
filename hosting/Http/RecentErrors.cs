using System.Globalization;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Logging;

namespace KeepFs.Hosting.Http;

/// <summary>
/// The newest warnings and errors of a process, for whoever looks at its state instead of its log: add it to the process's loggers and give it to its servers,
/// which show it as <c>/_inspect/errors</c> to the holder of the ManagementToken. Safe for concurrent use.
/// </summary>
/// <param name="time">The clock.</param>
public sealed class RecentErrors(TimeProvider time) : ILoggerProvider
{
    /// <summary>How many are kept: a screen or two; what happens more often than that is read in the log.</summary>
    public const int Kept = 100;

    /// <summary>What is kept of one: enough to see what it is about.</summary>
    public const int MaxTextLength = 1000;

    private readonly Lock _lock = new();
    private readonly Queue<RecentError> _newest = new();

    /// <summary>Tells the lists of several servers in one process from those of several processes.</summary>
    public string Process { get; } = Guid.NewGuid().ToString("N");

    /// <summary>Those that are kept, the newest last.</summary>
    public RecentErrorList List()
    {
        lock (_lock)
        {
            return new RecentErrorList(Process, [.. _newest]);
        }
    }

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => new Listener(this);

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private void Add(LogLevel level, string text)
    {
        lock (_lock)
        {
            if (_newest.Count == Kept)
            {
                _newest.Dequeue();
            }

            _newest.Enqueue(new RecentError(time.GetUtcNow(), level == LogLevel.Warning ? "warning" : "error", text.Length > MaxTextLength ? text[..MaxTextLength] + "…" : text));
        }
    }

    private sealed class Listener(RecentErrors all) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel is >= LogLevel.Warning and < LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                var text = formatter(state, exception);
                all.Add(logLevel, exception is null || text.Contains(exception.Message, StringComparison.Ordinal) ? text : string.Create(CultureInfo.InvariantCulture, $"{text} ({exception.Message})"));
            }
        }
    }
}

/// <summary>What a process shows of its errors.</summary>
/// <param name="Process">Random name of the process.</param>
/// <param name="Items">The newest last.</param>
public sealed record RecentErrorList(string Process, IReadOnlyList<RecentError> Items);

/// <summary>One warning or error.</summary>
/// <param name="At">When.</param>
/// <param name="Level"><c>warning</c> or <c>error</c>.</param>
/// <param name="Text">As in the log, without secrets.</param>
public sealed record RecentError(DateTimeOffset At, string Level, string Text);

/// <summary>How they are sent.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(RecentErrorList))]
public sealed partial class RecentErrorJson : JsonSerializerContext;
