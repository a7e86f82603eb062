using System.Globalization;
using System.Net.Http.Headers;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Blocks.Hashing;

namespace KeepFs.Engine.Client;

public sealed partial class KeepClient
{
    private const int HashInlineBytes = 64 << 10;
    private static readonly MediaTypeHeaderValue OctetStream = new("application/octet-stream");

    /// <inheritdoc/>
    public async ValueTask<WrittenBlock> WriteAsync(ReadOnlyMemory<byte> data, BlockWriteOptions wish, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(data.Length, Locator.MaxBlockSizeBytes, nameof(data));
        if (data.Length > HashInlineBytes)
        {
            // Hashing a block takes a tenth of a second: the caller goes on filling the next one meanwhile.
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        }

        var hash = await HashJob.ComputeAsync(data, hashing);
        var wanted = wish.Replicas ?? options.DefaultReplicas;
        var write = new ReplicaWrite(hash, data, wanted, wish.StorageClasses.Count > 0 ? wish.StorageClasses : options.DefaultStorageClasses);
        if (wanted == 0)
        {
            return new WrittenBlock(new Locator(hash, data.Length), 0);
        }

        for (var attempt = 0; ; attempt++)
        {
            var writable = (await services.GetAsync(attempt > 0, cancellationToken)).Where(service => !service.IsGateway && !service.IsReadOnly).ToArray();
            await RoundAsync(write, ProbeOrder.OfServices(hash, writable, service => service.Uuid), cancellationToken);
            if (write.IsDone)
            {
                return new WrittenBlock(Locator.Parse(write.Locator!), write.Replicas);
            }

            if (attempt + 1 >= options.Attempts || (writable.Length > 0 && !writable.Any(write.MayTry)))
            {
                throw WriteFailure(write, writable.Length);
            }

            await DelayAsync(attempt, cancellationToken);
        }
    }

    /// <summary>One pass over the services in probe order, with only as many requests at once as copies are missing.</summary>
    private async Task RoundAsync(ReplicaWrite write, KeepService[] order, CancellationToken cancellationToken)
    {
        var perService = order.All(service => service.IsDisk) ? 1 : write.Wanted;
        var candidates = new Queue<KeepService>(order.Where(write.MayTry));
        var active = new List<Task<(KeepService Service, Answer? Answer, Failure Failure)>>();
        while (!write.IsDone || active.Count > 0)
        {
            while (candidates.Count > 0 && active.Count * perService < write.Missing)
            {
                active.Add(PutAsync(write, candidates.Dequeue(), cancellationToken));
            }

            if (active.Count == 0)
            {
                return;
            }

            var finished = await Task.WhenAny(active);
            active.Remove(finished);
            var (service, answer, failure) = await finished;
            write.Record(service, answer, failure);
        }
    }

    private async Task<(KeepService Service, Answer? Answer, Failure Failure)> PutAsync(ReplicaWrite write, KeepService service, CancellationToken cancellationToken)
    {
        using var stall = new CancellationTokenSource(options.StallTimeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, stall.Token);
        try
        {
            using var request = Request(HttpMethod.Put, service, write.Hash.ToString());
            request.Headers.TryAddWithoutValidation("X-Keep-Desired-Replicas", write.Wanted.ToString(CultureInfo.InvariantCulture));
            if (write.PendingClasses is { Length: > 0 } classes)
            {
                request.Headers.TryAddWithoutValidation("X-Keep-Storage-Classes", classes);
            }

            request.Content = new ReadOnlyMemoryContent(write.Data);
            request.Content.Headers.ContentType = OctetStream;
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseContentRead, both.Token);
            if (!response.IsSuccessStatusCode)
            {
                return (service, null, new Failure(WriteFailureKind((int)response.StatusCode), await ErrorTextAsync(response, both.Token)));
            }

            var locator = (await response.Content.ReadAsStringAsync(both.Token)).Trim();
            return (service, new Answer(locator, Header(response, "X-Keep-Replicas-Stored"), Header(response, "X-Keep-Storage-Classes-Confirmed")), default);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return (service, null, new Failure(FailureKind.Retryable, string.Create(CultureInfo.InvariantCulture, $"no answer within {options.StallTimeout.TotalSeconds:0} s")));
        }
        catch (Exception e) when (e is HttpRequestException or IOException and not KeepException)
        {
            return (service, null, new Failure(FailureKind.Retryable, e.InnerException?.Message ?? e.Message));
        }
    }

    private static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) ? string.Join(',', values) : null;

    private static FailureKind WriteFailureKind(int status) => status switch
    {
        507 => FailureKind.Full,
        401 or 403 => FailureKind.Denied,
        _ => IsRetryable(status) ? FailureKind.Retryable : FailureKind.Final,
    };

    private static KeepException WriteFailure(ReplicaWrite write, int writableCount)
    {
        var reasons = writableCount == 0 ? "no writable Keep service is known" : Describe(write.Failures);
        if (reasons.Length == 0)
        {
            reasons = $"only {writableCount} writable Keep services are known";
        }

        var onlyFull = write.Failures.Count > 0 && write.Failures.Values.All(failure => failure.Kind == FailureKind.Full);
        return new KeepException(
            onlyFull ? KeepErrorKind.Full : KeepErrorKind.InsufficientReplicas,
            $"Block {write.Hash}: wanted {write.Wanted} copies{write.DescribeClasses()} but only {write.Replicas} could be written ({reasons}).");
    }

    private sealed record Answer(string Locator, string? Replicas, string? ClassesConfirmed);

    /// <summary>What is still missing of one write. Not for concurrent use: only the round's own loop reads and changes it.</summary>
    private sealed class ReplicaWrite(BlockHash hash, ReadOnlyMemory<byte> data, int wanted, IReadOnlyList<string> classes)
    {
        private readonly SortedDictionary<string, int> _pending = new(classes.Distinct().ToDictionary(name => name, _ => wanted), StringComparer.Ordinal);
        private readonly HashSet<KeepService> _stored = [];
        private bool _tracksClasses = classes.Count > 0;

        public BlockHash Hash => hash;

        public ReadOnlyMemory<byte> Data => data;

        public int Wanted => wanted;

        public int Replicas { get; private set; }

        public string? Locator { get; private set; }

        public Dictionary<KeepService, Failure> Failures { get; } = [];

        public bool IsDone => Replicas >= wanted && (!_tracksClasses || _pending.Count == 0);

        /// <summary>Copies that further requests should still bring, counted for the class that lacks the fewest.</summary>
        public int Missing => IsDone ? 0 : _tracksClasses && _pending.Count > 0 ? _pending.Values.Min() : Math.Max(wanted - Replicas, 1);

        public string PendingClasses => _tracksClasses ? string.Join(", ", _pending.Keys) : "";

        public bool MayTry(KeepService service) =>
            !_stored.Contains(service) && (!Failures.TryGetValue(service, out var failure) || failure.Kind == FailureKind.Retryable);

        public void Record(KeepService service, Answer? answer, Failure failure)
        {
            if (answer is not null && !(Blocks.Locator.TryParse(answer.Locator, out var parsed) && parsed.Hash == hash && parsed.SizeBytes == data.Length))
            {
                failure = new Failure(FailureKind.Final, $"answered with the wrong locator {answer.Locator}");
                answer = null;
            }

            if (answer is null)
            {
                Failures[service] = failure;
                return;
            }

            _stored.Add(service);
            Failures.Remove(service);
            Locator = answer.Locator;
            Replicas += int.TryParse(answer.Replicas, NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : 1;
            Confirm(answer.ClassesConfirmed);
        }

        public string DescribeClasses() => _tracksClasses && _pending.Count > 0 ? $" in storage class {string.Join(", ", _pending.Keys)}" : "";

        private void Confirm(string? header)
        {
            if (!_tracksClasses || ParseConfirmed(header) is not { } confirmed)
            {
                _tracksClasses = false;
                return;
            }

            foreach (var (name, count) in confirmed)
            {
                if (_pending.TryGetValue(name, out var left))
                {
                    _ = count >= left ? _pending.Remove(name) : (_pending[name] = left - count) > 0;
                }
            }
        }

        /// <summary>Null when absent or malformed (blocks.md section 7).</summary>
        private static List<(string Name, int Count)>? ParseConfirmed(string? header)
        {
            var result = new List<(string, int)>();
            foreach (var item in (header ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            {
                var equals = item.IndexOf('=', StringComparison.Ordinal);
                if (equals <= 0 || !int.TryParse(item.AsSpan(equals + 1).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var count) || count < 1)
                {
                    return null;
                }

                result.Add((item[..equals].TrimEnd(), count));
            }

            return result.Count == 0 ? null : result;
        }
    }
}
