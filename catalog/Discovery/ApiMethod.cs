namespace KeepFs.Catalog.Discovery;

/// <summary>One method as the discovery document describes it.</summary>
/// <param name="Name">Name within its resource.</param>
/// <param name="HttpMethod">GET, POST, PUT or DELETE.</param>
/// <param name="Path">Relative to servicePath, with <c>{uuid}</c>.</param>
/// <param name="Response">Schema of the answer; null when it is none of ours.</param>
/// <param name="Request">Wrapper key of the body; null when there is none.</param>
/// <param name="Parameters">Its parameters.</param>
internal sealed record ApiMethod(string Name, string HttpMethod, string Path, string? Response, string? Request, params ApiParameter[] Parameters);

/// <summary>One parameter.</summary>
internal sealed record ApiParameter(string Name, string Type, string Description, string Location = "query", string? Default = null);
