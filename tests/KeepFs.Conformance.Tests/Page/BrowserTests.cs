namespace KeepFs.Conformance.Tests.Page;

/// <summary>The page of keep-web in a real Chromium: browse, preview, upload, rename, delete, restore, ZIP, share, and what an uploaded page must not be able to do.</summary>
[Collection(ClusterTests.Name)]
public sealed class BrowserTests(SharedCluster shared)
{
    private static readonly string Root = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", "..", "..", ".."));
    private readonly KeepFsProcess _cluster = shared.Process;

    [Fact]
    public async Task Person_works_with_the_page_and_uploaded_pages_reach_nothing()
    {
        var folder = _cluster.NewFolder();
        await File.WriteAllTextAsync(Path.Combine(folder, "first"), "first");
        var uuid = await _cluster.PutAsync(folder + "/");
        var (script, modules) = (Path.Combine(Root, "tests", "KeepFs.Conformance.Tests", "Page", "page.mjs"), Path.Combine(Root, ".build", "playwright"));
        Assert.True(File.Exists("/usr/bin/chromium"), "The tests need /usr/bin/chromium: apt-get install chromium");
        Assert.True(Directory.Exists(Path.Combine(modules, "node_modules", "playwright-core")), $"The tests need playwright-core: npm install --prefix {modules} playwright-core, as check.sh does");
        var result = await _cluster.ScriptAsync($"node '{script}' \"$KEEPFS_WEBDAV_URL\" \"$ARVADOS_API_TOKEN\" {uuid} '{folder}' '{modules}'");
        Assert.Contains("good", result.Ok(), StringComparison.Ordinal);
    }
}
