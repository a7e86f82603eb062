using KeepFs.Cli.Settings;

namespace KeepFs.Cli.Tests.Settings;

public sealed class ArvadosSettingsTests
{
    [Fact]
    public void Settings_file_has_one_value_a_line_and_comments()
    {
        var values = ArvadosSettings.Parse(["# a comment", "", " ARVADOS_API_HOST = zzzzz.example:8000 ", "ARVADOS_API_TOKEN=v2/a/b=c", "nonsense"]);
        Assert.Equal(["zzzzz.example:8000", "v2/a/b=c"], values.OrderBy(pair => pair.Key).Select(pair => pair.Value));
    }

    [Theory]
    [InlineData("1", true)]
    [InlineData("yes", true)]
    [InlineData("T", true)]
    [InlineData("0", false)]
    [InlineData("", false)]
    public void Insecure_means_what_the_original_clients_take_it_for(string value, bool expected) =>
        Assert.Equal(expected, From(("ARVADOS_API_HOST_INSECURE", value)).IsInsecure);

    [Fact]
    public void Keep_services_are_urls_separated_by_spaces() =>
        Assert.Equal(["http://a:1/", "https://b/x"], From(("ARVADOS_KEEP_SERVICES", "http://a:1/ https://b/x")).KeepServices.Select(url => url.AbsoluteUri));

    [Fact]
    public void Missing_and_malformed_values_are_named()
    {
        Assert.Contains("ARVADOS_API_TOKEN", Assert.Throws<CommandException>(() => ArvadosSettings.From(new Dictionary<string, string> { ["ARVADOS_API_HOST"] = "h" })).Message, StringComparison.Ordinal);
        Assert.Contains("HOST:PORT", Assert.Throws<CommandException>(() => From(("ARVADOS_API_HOST", "https://h/"))).Message, StringComparison.Ordinal);
        Assert.Contains("not a URL", Assert.Throws<CommandException>(() => From(("ARVADOS_KEEP_SERVICES", "nowhere"))).Message, StringComparison.Ordinal);
    }

    private static ArvadosSettings From(params (string Name, string Value)[] more)
    {
        var values = new Dictionary<string, string> { ["ARVADOS_API_HOST"] = "h:1", ["ARVADOS_API_TOKEN"] = "t" };
        foreach (var (name, value) in more)
        {
            values[name] = value;
        }

        return ArvadosSettings.From(values);
    }
}
