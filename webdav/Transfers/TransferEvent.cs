using KeepFs.WebDav.Sessions;

namespace KeepFs.WebDav.Transfers;

/// <summary>A file, or a selection of files, that went out or came in.</summary>
/// <param name="Session">Whose token did it.</param>
/// <param name="Kind"><c>file_download</c> or <c>file_upload</c>.</param>
/// <param name="RequestPath">As in the URL, without tokens.</param>
/// <param name="CollectionUuid">Empty when the collection was named by its content.</param>
/// <param name="FilePath">In the collection; empty when it is several files.</param>
/// <param name="FileCount">How many.</param>
/// <param name="At">When.</param>
/// <param name="PortableDataHash">Content of the collection; null for uploads.</param>
internal sealed record TransferEvent(
    Session Session, string Kind, string RequestPath, string CollectionUuid, string FilePath, int FileCount, DateTimeOffset At, string? PortableDataHash)
{
    public const string Download = "file_download", Upload = "file_upload";
}
