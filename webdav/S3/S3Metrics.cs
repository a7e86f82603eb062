using System.Collections.Concurrent;
using KeepFs.Hosting.Http;

namespace KeepFs.WebDav.S3;

/// <summary>Requests by S3 operation and status class; both are few. Safe for concurrent use.</summary>
internal sealed class S3Metrics
{
    private readonly ConcurrentDictionary<(string Operation, int Class), StrongCount> _requests = [];

    public void Count(string operation, int status) => _requests.GetOrAdd((operation, status / 100), static _ => new StrongCount()).Add();

    public void Write(MetricsText text)
    {
        foreach (var ((operation, statusClass), count) in _requests.OrderBy(entry => entry.Key.Operation, StringComparer.Ordinal).ThenBy(entry => entry.Key.Class))
        {
            text.Counter("keepfs_keepweb_s3_requests_total", "S3 requests by operation and status class.", count.Value, ("operation", operation), ("status", $"{statusClass}xx"));
        }
    }

    private sealed class StrongCount
    {
        private long _value;

        public long Value => Interlocked.Read(ref _value);

        public void Add() => Interlocked.Increment(ref _value);
    }
}
