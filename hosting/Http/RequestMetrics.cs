using System.Collections.Concurrent;
using System.Reflection;
using KeepFs.Hosting.Configuration;
using Microsoft.AspNetCore.Http;

namespace KeepFs.Hosting.Http;

/// <summary>
/// Counts and times of a server's requests, under Arvados's names (keepstore-http.md 13); the same for every server. Safe for
/// concurrent use.
/// </summary>
/// <param name="limiter">The line in which requests wait.</param>
/// <param name="source">Where the configuration came from; null when it was made by the program.</param>
/// <param name="time">The clock.</param>
public sealed class RequestMetrics(RequestLimiter limiter, ConfigSource? source, TimeProvider time)
{
    // Few keys: methods that no client uses count as one.
    private readonly ConcurrentDictionary<(int Status, string Method), Sums> _requests = new();
    private readonly ConcurrentDictionary<HttpContext, long> _running = new();

    /// <summary>What is being served now, with the time for which it has been.</summary>
    public IEnumerable<(HttpContext Context, TimeSpan Elapsed)> Running =>
        _running.Select(entry => (entry.Key, time.GetElapsedTime(entry.Value)));

    /// <summary>Middleware: measures what follows.</summary>
    public async Task MeasureAsync(HttpContext context, Func<Task> next)
    {
        var start = time.GetTimestamp();
        _running[context] = start;
        var statusAt = new StatusTime(time);
        context.Response.OnStarting(static state => ((StatusTime)state).SetAsync(), statusAt);
        try
        {
            await next();
        }
        finally
        {
            _running.TryRemove(context, out _);
            var now = time.GetTimestamp();
            var method = context.Request.Method is "GET" or "HEAD" or "PUT" or "POST" or "PATCH" or "DELETE" or "TOUCH" or "OPTIONS"
                ? context.Request.Method.ToLowerInvariant() : "other";
            var sums = _requests.GetOrAdd((context.Response.StatusCode, method), static _ => new Sums());
            sums.Add(time.GetElapsedTime(start, now), time.GetElapsedTime(start, statusAt.Ticks ?? now));
        }
    }

    /// <summary>Adds all of it.</summary>
    public void Write(MetricsText text)
    {
        var (high, low) = limiter.Queued;
        text.Gauge("arvados_concurrent_requests", "Requests being served.", limiter.Running, ("queue", "api"))
            .Gauge("arvados_max_concurrent_requests", "Most requests served at once.", limiter.MaxConcurrent, ("queue", "api"))
            .Gauge("arvados_max_queued_requests", "Most requests waiting.", limiter.MaxQueued, ("queue", "api"))
            .Gauge("arvados_queued_requests", "Requests waiting.", low, ("queue", "api"), ("priority", "normal"))
            .Gauge("arvados_queued_requests", "Requests waiting.", high, ("queue", "api"), ("priority", "high"));
        foreach (var (priority, waited) in limiter.Delays)
        {
            text.Summary("arvados_queue_delay_seconds", "Time that served requests waited for their turn.", waited.Seconds, waited.Count, ("queue", "api"), ("priority", priority));
        }

        foreach (var (priority, waited) in limiter.Refusals)
        {
            text.Summary("arvados_queue_timeout_seconds", "Time that requests waited which were never served.", waited.Seconds, waited.Count, ("queue", "api"), ("priority", priority));
        }

        var requests = _requests.OrderBy(entry => entry.Key).ToArray();
        foreach (var ((status, method), sums) in requests)
        {
            text.Summary("request_duration_seconds", "Time to the end of the response.", sums.Seconds, sums.Count, ("code", $"{status}"), ("method", method));
        }

        foreach (var ((status, method), sums) in requests)
        {
            text.Summary("time_to_status_seconds", "Time to the first byte of the response.", sums.StatusSeconds, sums.Count, ("code", $"{status}"), ("method", method));
        }

        var running = Running.ToArray();
        text.Gauge("arvados_max_active_request_age_seconds", "Age of the oldest request being served.", Oldest(running.Where(entry => !entry.Context.RequestAborted.IsCancellationRequested)))
            .Gauge("arvados_max_abandoned_request_age_seconds", "Age of the oldest request being served whose client is gone.", Oldest(running.Where(entry => entry.Context.RequestAborted.IsCancellationRequested)))
            .Gauge("arvados_version_running", "Always 1.", 1, ("version", Version));
        if (source is not null)
        {
            text.Gauge("arvados_config_source_timestamp_seconds", "When the configuration file was last changed.", Seconds(source.ChangedAt), ("sha256", source.Sha256))
                .Gauge("arvados_config_load_timestamp_seconds", "When it was read.", Seconds(source.LoadedAt), ("sha256", source.Sha256));
        }
    }

    private static string Version { get; } =
        typeof(RequestMetrics).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    private static double Oldest(IEnumerable<(HttpContext, TimeSpan Elapsed)> requests) => requests.Select(request => request.Elapsed.TotalSeconds).DefaultIfEmpty().Max();

    private static double Seconds(DateTimeOffset at) => (at - DateTimeOffset.UnixEpoch).TotalSeconds;

    private sealed class StatusTime(TimeProvider time)
    {
        public long? Ticks { get; private set; }

        public Task SetAsync()
        {
            Ticks = time.GetTimestamp();
            return Task.CompletedTask;
        }
    }

    private sealed class Sums
    {
        private readonly Lock _lock = new();

        public long Count { get; private set; }

        public double Seconds { get; private set; }

        public double StatusSeconds { get; private set; }

        public void Add(TimeSpan whole, TimeSpan toStatus)
        {
            lock (_lock)
            {
                Count++;
                Seconds += whole.TotalSeconds;
                StatusSeconds += toStatus.TotalSeconds;
            }
        }
    }
}
