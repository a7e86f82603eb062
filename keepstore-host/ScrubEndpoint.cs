using System.Text.Json;
using System.Text.Json.Serialization;
using KeepFs.Engine.Mounts;
using Microsoft.AspNetCore.Http;

namespace KeepFs.KeepstoreHost;

/// <summary><c>/_keepfs/scrub</c>, ours: GET shows where scrubbing stands, PUT starts, stops or changes it. For the system token.</summary>
internal sealed class ScrubEndpoint(Scrubber scrubber)
{
    public const string Path = "_keepfs/scrub";
    private const int MaxBodyBytes = 4096;

    public Task ShowAsync(HttpContext context, CancellationToken cancellationToken)
    {
        context.Response.ContentType = "application/json";
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask
            : context.Response.WriteAsync(JsonSerializer.Serialize(scrubber.Status, ScrubJson.Default.ScrubStatus) + "\n", cancellationToken);
    }

    public async Task CommandAsync(HttpContext context, CancellationToken cancellationToken)
    {
        if (await ReadAsync(context, cancellationToken) is not { } command || !Obey(command))
        {
            await KeepstoreRouter.FailAsync(
                context, StatusCodes.Status400BadRequest, """send {"action":"start"}, {"action":"stop"} or {"action":"rate","rate":BYTES_A_SECOND}; 0 = no limit""");
            return;
        }

        await ShowAsync(context, cancellationToken);
    }

    private static async Task<ScrubOrder?> ReadAsync(HttpContext context, CancellationToken cancellationToken)
    {
        var body = new byte[MaxBodyBytes];
        var length = await context.Request.Body.ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false, cancellationToken);
        try
        {
            return length == body.Length ? null : JsonSerializer.Deserialize(body.AsSpan(0, length), ScrubOrderJson.Default.ScrubOrder);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private bool Obey(ScrubOrder order)
    {
        switch (order)
        {
            case { Action: "start", Rate: null or >= 0 }:
                SetRate(order);
                scrubber.Begin();
                return true;
            case { Action: "stop", Rate: null }:
                scrubber.Pause();
                return true;
            case { Action: "rate", Rate: >= 0 }:
                SetRate(order);
                return true;
            default:
                return false;
        }
    }

    private void SetRate(ScrubOrder order)
    {
        if (order.Rate is { } rate)
        {
            scrubber.SetRate(rate);
        }
    }
}

/// <summary>What a PUT says.</summary>
internal sealed record ScrubOrder(string? Action, long? Rate);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ScrubOrder))]
internal sealed partial class ScrubOrderJson : JsonSerializerContext;
