namespace KeepFs.WebDav.S3.Signing;

/// <summary>A request whose signature was verified.</summary>
/// <param name="Token">Whose session serves it; never logged.</param>
/// <param name="PayloadHash">What the signed request says of its body: a SHA-256, UNSIGNED-PAYLOAD or STREAMING-...</param>
/// <param name="Scope">Signs the chunks of a streamed body; null for version 2.</param>
/// <param name="SeedSignature">What the first chunk's signature builds on.</param>
internal sealed record S3Identity(string Token, string PayloadHash, SigningScope? Scope, string SeedSignature);
