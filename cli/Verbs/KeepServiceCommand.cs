using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using KeepFs.Cli.Admin;

namespace KeepFs.Cli.Verbs;

/// <summary><c>keepfs keep-service</c>: where the catalogue sends clients for blocks, when that does not stand in the configuration.</summary>
internal static class KeepServiceCommand
{
    public static Command Create()
    {
        var command = new Command("keep-service", "Register keepstores and proxies with the catalogue.")
        {
            RecordVerbs.List(RecordKind.KeepService), RecordVerbs.Show(RecordKind.KeepService), New(), RecordVerbs.Delete(RecordKind.KeepService, "delete", "Take a service out of the catalogue."),
        };
        // As the installation guide of Arvados writes it.
        command.Aliases.Add("keep_service");
        return command;
    }

    private static Command New()
    {
        var whole = new Option<string?>("--keep-service") { Description = "The record as a JSON object, as `arv keep_service create` takes it; - reads it from standard input." };
        var host = new Option<string?>("--host") { Description = "Name or address of the server." };
        var port = new Option<int?>("--port") { Description = "Its port." };
        var tls = new Option<bool>("--ssl") { Description = "It serves HTTPS." };
        var type = new Option<string?>("--type") { Description = "disk (default), proxy, blob or gateway:NAME." };
        var readOnly = new Option<bool>("--read-only") { Description = "Nothing is written to it." };
        var json = RecordVerbs.Json();
        var command = new Command("create", "Register a service; prints the UUID.") { whole, host, port, tls, type, readOnly, json };
        command.SetAction((parsed, ct) => RecordVerbs.RunAsync(async api =>
        {
            var service = parsed.GetValue(whole) is { } text ? Parse(text == "-" ? await Console.In.ReadToEndAsync(ct) : text) : [];
            Set(service, "service_host", parsed.GetValue(host));
            Set(service, "service_port", parsed.GetValue(port));
            Set(service, "service_ssl_flag", parsed.GetValue(tls) ? true : null);
            Set(service, "service_type", parsed.GetValue(type));
            Set(service, "read_only", parsed.GetValue(readOnly) ? true : null);
            if (service["service_host"] is null || service["service_port"] is null)
            {
                throw new CommandException("A Keep service needs --host and --port (or service_host and service_port in --keep-service).", 2);
            }

            RecordOutput.Standard(parsed.GetValue(json)).WriteUuid(await api.SendAsync(HttpMethod.Post, RecordKind.KeepService.Type, new JsonObject { ["keep_service"] = service }, ct));
        }));
        return command;
    }

    private static JsonObject Parse(string text)
    {
        try
        {
            return JsonNode.Parse(text) as JsonObject ?? throw new CommandException("--keep-service must be a JSON object.", 2);
        }
        catch (JsonException e)
        {
            throw new CommandException($"--keep-service is not JSON: {e.Message}", 2, e);
        }
    }

    private static void Set(JsonObject service, string name, JsonNode? value)
    {
        if (value is not null)
        {
            service[name] = value;
        }
    }
}
