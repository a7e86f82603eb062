using System.CommandLine;
using System.Text.Json.Nodes;
using KeepFs.Cli.Output;

namespace KeepFs.Cli.Admin;

/// <summary>What a collection or project really takes: each block counted once (decision 0039).</summary>
internal static class StorageVerb
{
    public static Command Create(RecordKind kind)
    {
        var (which, json) = (RecordVerbs.Which(kind), RecordVerbs.Json());
        var command = new Command("storage", $"Show how large the files of a {kind.Noun} are, and what their blocks take, each counted once.") { which, json };
        command.SetAction((parsed, ct) => RecordVerbs.RunAsync(async api =>
        {
            var record = await RecordNames.FindAsync(api, kind, parsed.GetRequiredValue(which), includeTrash: true, ct);
            using var response = await api.StreamAsync(HttpMethod.Get, "keepfs/v1/storage/" + AdminApi.Text(record, "uuid"), null, ct);
            var figures = await AdminApi.ReadAsync(response, ct);
            var output = RecordOutput.Standard(parsed.GetValue(json));
            output.Write(output.IsJson ? figures : new JsonObject
            {
                ["uuid"] = AdminApi.Text(figures, "uuid"),
                ["files"] = Bytes(figures, "file_bytes"),
                ["blocks"] = $"{AdminApi.Text(figures, "blocks")}, {Bytes(figures, "block_bytes")}",
                ["blocks with past versions"] = $"{AdminApi.Text(figures, "blocks_with_versions")}, {Bytes(figures, "block_bytes_with_versions")}",
            });
        }));
        return command;
    }

    private static string Bytes(JsonObject figures, string name) => Readable.Bytes(figures[name]!.GetValue<long>());
}
