using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace KeepFs.Catalog.Tests;

/// <summary>Keeps every line that is logged, of all levels, with its exception.</summary>
internal sealed class LogLines : ILoggerFactory, ILogger
{
    public ConcurrentQueue<string> Text { get; } = [];

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Text.Enqueue($"{formatter(state, exception)} {exception}");

    public void Dispose()
    {
    }
}
