using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace KeepFs.WebDav.Downloads;

/// <summary>Bodies of requests that are read into memory, with a limit.</summary>
internal static class RequestForm
{
    private const int MaxBytes = 4 << 20;

    /// <summary>A urlencoded or multipart form; read once, then kept with the request.</summary>
    /// <exception cref="WebException">400, 413.</exception>
    public static async Task<IFormCollection> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (request.ContentLength > MaxBytes)
        {
            throw TooLarge();
        }

        try
        {
            return await request.ReadFormAsync(
                new FormOptions { BufferBody = false, ValueCountLimit = 100_000, ValueLengthLimit = MaxBytes, MultipartBodyLengthLimit = MaxBytes, BufferBodyLengthLimit = MaxBytes },
                cancellationToken);
        }
        catch (InvalidDataException)
        {
            throw new WebException(StatusCodes.Status400BadRequest, "The form cannot be read, or is too large.");
        }
    }

    /// <summary>The whole body.</summary>
    /// <exception cref="WebException">413.</exception>
    public static async Task<byte[]> ReadBytesAsync(HttpRequest request, int maxBytes, CancellationToken cancellationToken)
    {
        using var body = new MemoryStream();
        var buffer = new byte[16 << 10];
        while (await request.Body.ReadAsync(buffer, cancellationToken) is > 0 and var read)
        {
            if (body.Length + read > maxBytes)
            {
                throw TooLarge();
            }

            body.Write(buffer, 0, read);
        }

        return body.ToArray();
    }

    private static WebException TooLarge() => new(StatusCodes.Status413PayloadTooLarge, "The request's body is too large.");
}
