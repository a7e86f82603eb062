using System.Globalization;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Blocks.Hashing;

namespace KeepFs.Engine.Client;

public sealed partial class KeepClient
{
    /// <summary>Bytes asked of the socket at once: large enough for few calls, small enough that hashing overlaps with receiving.</summary>
    private const int ReadBytes = 1 << 20;

    /// <inheritdoc/>
    public async ValueTask FetchAsync(Locator locator, BlockBuffer destination, CancellationToken cancellationToken)
    {
        var failures = new Dictionary<KeepService, Failure>();
        for (var attempt = 0; ; attempt++)
        {
            foreach (var service in ReadOrder(locator, await services.GetAsync(attempt > 0, cancellationToken)))
            {
                if (failures.TryGetValue(service, out var earlier) && earlier.Kind != FailureKind.Retryable)
                {
                    continue;
                }

                if (await TryFetchAsync(service, locator, destination, cancellationToken) is not { } failure)
                {
                    return;
                }

                failures[service] = failure;
            }

            if (attempt + 1 >= options.Attempts || (failures.Count > 0 && failures.Values.All(f => f.Kind != FailureKind.Retryable)))
            {
                throw ReadFailure(locator, failures);
            }

            await DelayAsync(attempt, cancellationToken);
        }
    }

    private static List<KeepService> ReadOrder(Locator locator, IReadOnlyList<KeepService> known)
    {
        var order = new List<KeepService>();
        foreach (var hint in locator.HintsOfType('K'))
        {
            if (FromHint(hint, known) is { } hinted)
            {
                order.Add(hinted);
            }
        }

        order.AddRange(ProbeOrder.OfServices(locator.Hash, [.. known.Where(service => !service.IsGateway)], service => service.Uuid));
        return order;
    }

    private static KeepException ReadFailure(Locator locator, Dictionary<KeepService, Failure> failures)
    {
        if (failures.Count == 0)
        {
            return new KeepException(KeepErrorKind.Unavailable, $"Block {locator.Hash}: no Keep service is known; is a keepstore running?");
        }

        var kinds = failures.Values.Select(failure => failure.Kind).ToHashSet();
        var (kind, what) = kinds switch
        {
            _ when kinds.SetEquals([FailureKind.NotFound]) => (KeepErrorKind.NotFound, "is on none of the keepstores"),
            _ when kinds.Contains(FailureKind.Retryable) => (KeepErrorKind.Unavailable, "could not be read now"),
            _ when kinds.Contains(FailureKind.Corrupt) => (KeepErrorKind.Corrupt, "has no good copy"),
            _ when kinds.Contains(FailureKind.Denied) => (KeepErrorKind.PermissionDenied, "may not be read with this token"),
            _ => (KeepErrorKind.Unavailable, "could not be read"),
        };
        return new KeepException(kind, $"Block {locator.Hash} {what} ({Describe(failures)}).");
    }

    /// <summary>Null on success.</summary>
    private async Task<Failure?> TryFetchAsync(KeepService service, Locator locator, BlockBuffer destination, CancellationToken cancellationToken)
    {
        var (failure, wasUnverified) = await TryFetchAsync(service, locator, destination, verifies: true, cancellationToken);
        return failure is not null && wasUnverified ? (await TryFetchAsync(service, locator, destination, verifies: false, cancellationToken)).Failure : failure;
    }

    private async Task<(Failure? Failure, bool WasUnverified)> TryFetchAsync(
        KeepService service, Locator locator, BlockBuffer destination, bool verifies, CancellationToken cancellationToken)
    {
        var wasUnverified = false;
        using var stall = new CancellationTokenSource(options.StallTimeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, stall.Token);
        try
        {
            using var request = Request(HttpMethod.Get, service, locator.ToString());
            if (verifies)
            {
                request.Headers.TryAddWithoutValidation(VerifiesHeader, "1");
            }

            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, both.Token);
            if (!response.IsSuccessStatusCode)
            {
                return (new Failure(ReadFailureKind((int)response.StatusCode), await ErrorTextAsync(response, both.Token)), false);
            }

            wasUnverified = response.Headers.Contains(UnverifiedHeader);
            return (await ReceiveAsync(response, locator, destination, stall, both.Token), wasUnverified);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return (new Failure(FailureKind.Retryable, string.Create(CultureInfo.InvariantCulture, $"nothing received for {options.StallTimeout.TotalSeconds:0} s")), false);
        }
        catch (Exception e) when (e is HttpRequestException or IOException and not KeepException)
        {
            return (new Failure(FailureKind.Retryable, e.InnerException?.Message ?? e.Message), wasUnverified);
        }
    }

    private async Task<Failure?> ReceiveAsync(
        HttpResponseMessage response, Locator locator, BlockBuffer destination, CancellationTokenSource stall, CancellationToken cancellationToken)
    {
        var size = locator.SizeBytes;
        if (response.Content.Headers.ContentLength is { } length && length != size)
        {
            return new Failure(FailureKind.Corrupt, $"has {length} bytes where {size} are expected");
        }

        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        await using var hash = new HashJob(destination.Capacity, hashing);
        var received = 0;
        while (received < size)
        {
            var read = await body.ReadAsync(destination.Capacity.Slice(received, Math.Min(ReadBytes, size - received)), cancellationToken);
            if (read == 0)
            {
                return new Failure(FailureKind.Retryable, $"connection ended after {received} of {size} bytes");
            }

            received += read;
            hash.Advance(received);
            stall.CancelAfter(options.StallTimeout);
        }

        if (await hash.FinishAsync() != locator.Hash)
        {
            return new Failure(FailureKind.Corrupt, "sent bytes that do not match the hash");
        }

        destination.Length = size;
        return null;
    }

    private static FailureKind ReadFailureKind(int status) => status switch
    {
        404 or 410 => FailureKind.NotFound,
        400 or 401 or 403 => FailureKind.Denied,

        // Keepstore read all its copies and none matches: asking again cannot help.
        502 => FailureKind.Corrupt,
        _ => IsRetryable(status) ? FailureKind.Retryable : FailureKind.Final,
    };
}
