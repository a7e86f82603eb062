using System.Globalization;
using System.Security.Cryptography;
using KeepFs.Cli.Settings;
using KeepFs.Engine.Blocks;
using KeepFs.Hosting.Configuration;

namespace KeepFs.Cli.Doctor;

/// <summary>
/// The services that the configuration names: whether they answer, whether they have the same tokens and keys, and what time they think
/// it is.
/// </summary>
/// <param name="config">The cluster.</param>
/// <param name="here">URLs of keepstores of this machine, which may simply not be started yet.</param>
/// <param name="time">Our clock.</param>
internal sealed class ServiceChecks(ClusterConfig config, IReadOnlySet<string> here, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>The header has whole seconds, and an answer takes a while.</summary>
    private static readonly TimeSpan SmallSkew = TimeSpan.FromSeconds(5);

    /// <summary>Beyond this, signatures and times of trash begin to mean different things.</summary>
    private static readonly TimeSpan LargeSkew = TimeSpan.FromMinutes(5);
    private readonly Findings _services = new("service");
    private readonly Findings _clocks = new("clock");

    public async Task<IReadOnlyList<Finding>> RunAsync(CancellationToken cancellationToken)
    {
        using var http = ClientSession.CreateHttp(config.TLS.Insecure);
        if (config.Services.Controller.ExternalURL is { Length: > 0 } controller)
        {
            await CheckControllerAsync(http, new Uri(controller), cancellationToken);
        }

        foreach (var url in config.Services.Keepstore.InternalURLs.Keys.Concat(config.Services.Keepgw.InternalURLs.Keys).Order(StringComparer.Ordinal))
        {
            await CheckKeepstoreAsync(http, url, cancellationToken);
        }

        return [.. _services.All, .. _clocks.All];
    }

    private async Task CheckControllerAsync(HttpClient http, Uri url, CancellationToken cancellationToken)
    {
        var (status, failure) = await AskAsync(http, new Uri(url, "arvados/v1/users/current"), config.SystemRootToken, cancellationToken);
        switch (status)
        {
            case null:
                _services.Fail($"{url}", $"the catalogue does not answer: {failure}", "start it, or correct Services.Controller.ExternalURL; look at firewall, name and certificate");
                break;
            case 200:
                _services.Ok($"{url}", "the catalogue answers and accepts SystemRootToken");
                break;
            case 401 or 403:
                _services.Fail($"{url}", "the catalogue does not accept SystemRootToken", "give all nodes the same SystemRootToken");
                break;
            default:
                _services.Fail($"{url}", $"the catalogue answered {status}", "look at its log");
                break;
        }
    }

    private async Task CheckKeepstoreAsync(HttpClient http, string url, CancellationToken cancellationToken)
    {
        var root = new Uri(url.TrimEnd('/') + "/");
        var (status, failure) = await AskAsync(http, new Uri(root, "mounts"), config.SystemRootToken, cancellationToken);
        if (status is null)
        {
            if (here.Contains(url))
            {
                _services.Warn(url, $"nothing answers here: {failure}", "start it; if it runs, look at its log and at ListenURL");
            }
            else
            {
                _services.Fail(url, $"does not answer: {failure}", "start it, or correct the URL; look at firewall, name and certificate");
            }

            return;
        }

        if (status == 200)
        {
            _services.Ok(url, "answers and accepts SystemRootToken");
        }
        else
        {
            _services.Fail(url, status is 401 or 403 ? "does not accept SystemRootToken" : $"answered {status}", "give all nodes the same SystemRootToken, and look whether this is a keepstore");
        }

        await CheckHealthAsync(http, root, cancellationToken);
        await CheckSignatureAsync(http, root, cancellationToken);
    }

    private async Task CheckHealthAsync(HttpClient http, Uri root, CancellationToken cancellationToken)
    {
        if (config.ManagementToken.Length > 0 && (await AskAsync(http, new Uri(root, "_health/ping"), config.ManagementToken, cancellationToken)).Status is var health and not 200)
        {
            _services.Warn($"{root}", $"the health check answers {health?.ToString(CultureInfo.InvariantCulture) ?? "nothing"}", "give all nodes the same ManagementToken");
        }
    }

    /// <summary>A block that cannot be there: 404 means that the signature was accepted.</summary>
    private async Task CheckSignatureAsync(HttpClient http, Uri root, CancellationToken cancellationToken)
    {
        var signer = new LocatorSigner(config.Collections.BlobSigningKey, config.Collections.BlobSigningTTL);
        if (!config.Collections.BlobSigning || !signer.HasKey)
        {
            return;
        }

        var nobody = BlockHash.FromDigest(RandomNumberGenerator.GetBytes(16));
        var locator = signer.Sign($"{nobody}+1", config.SystemRootToken, DateTimeOffset.UtcNow + TimeSpan.FromHours(1));
        var (status, _) = await AskAsync(http, new Uri(root, locator), config.SystemRootToken, cancellationToken);
        if (status == 404)
        {
            _services.Ok($"{root}", "accepts signatures that are made here");
        }
        else
        {
            _services.Fail(
                $"{root}",
                $"answered {status?.ToString(CultureInfo.InvariantCulture) ?? "nothing"} to a signature that was made here",
                "give all nodes the same BlobSigningKey and BlobSigningTTL; look also at its volumes");
        }
    }

    /// <summary>The status, or why there is none. Compares the clocks on the way.</summary>
    private async Task<(int? Status, string Failure)> AskAsync(HttpClient http, Uri url, string token, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, url);
            request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + token);
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token);
            if (response.Headers.Date is { } theirs)
            {
                CompareClocks(url.Authority, theirs);
            }

            return ((int)response.StatusCode, "");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return (null, $"no answer for {Patience.TotalSeconds} s");
        }
        catch (HttpRequestException e)
        {
            return (null, e.InnerException?.Message ?? e.Message);
        }
    }

    private void CompareClocks(string service, DateTimeOffset theirs)
    {
        if (_clocks.All.Any(finding => finding.Subject == service))
        {
            return;
        }

        var skew = theirs - time.GetUtcNow();
        var shown = string.Create(CultureInfo.InvariantCulture, $"{Math.Abs(skew.TotalSeconds):0} s {(skew < TimeSpan.Zero ? "behind" : "ahead of")} this machine");
        if (skew.Duration() > LargeSkew)
        {
            _clocks.Fail(service, $"its clock is {shown}", "set the clocks with NTP: signatures expire and trash is emptied by them");
        }
        else if (skew.Duration() > SmallSkew)
        {
            _clocks.Warn(service, $"its clock is {shown}", "set the clocks with NTP");
        }
        else
        {
            _clocks.Ok(service, "its clock agrees with this one");
        }
    }
}
