using KeepFs.Engine.Catalog;

namespace KeepFs.Engine.Tests.Catalog;

/// <summary><c>--filters</c>: which conditions concern which type, and what is no condition.</summary>
public sealed class CatalogFiltersTests
{
    [Theory]
    [InlineData("""[["name","like","a%"]]""", "groups", """,["name","like","a%"]""")]
    [InlineData("""[["name","like","a%"]]""", "collections", """,["name","like","a%"]""")]
    [InlineData("""[["collections.properties.x","=",1],["groups.name","!=","b"]]""", "collections", """,["properties.x","=",1]""")]
    [InlineData("""[["collections.properties.x","=",1],["groups.name","!=","b"]]""", "groups", """,["name","!=","b"]""")]
    [InlineData("""[["properties.groups.x","exists",true]]""", "groups", """,["properties.groups.x","exists",true]""")]
    [InlineData("""[[["collections.name","collections.description"],"ilike","%x%"]]""", "collections", """,[["name","description"],"ilike","%x%"]""")]
    [InlineData("""["(collections.file_count < collections.version)"]""", "collections", ""","(file_count \u003C version)" """)]
    [InlineData("""["(collections.file_count < collections.version)"]""", "groups", "")]
    [InlineData("[]", "groups", "")]
    public void Conditions_go_to_the_types_they_name(string json, string type, string expected) =>
        Assert.Equal(expected.Trim(), CatalogFilters.Parse(json).For(type));

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("""["name","=","a"]""")]
    [InlineData("""[["name","="]]""")]
    [InlineData("""[["name",1,2]]""")]
    [InlineData("""[[1,"=",2]]""")]
    [InlineData("""[[["groups.name","collections.name"],"=",2]]""")]
    [InlineData("""["file_count < version"]""")]
    public void What_is_no_list_of_conditions_is_refused(string json) => Assert.Throws<FormatException>(() => CatalogFilters.Parse(json));
}
