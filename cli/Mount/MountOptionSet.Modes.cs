using System.CommandLine;
using KeepFs.Engine.FileSystems;

namespace KeepFs.Cli.Mount;

/// <content>What to mount: one mode, or a directory put together from <c>--mount-*</c>.</content>
internal sealed partial class MountOptionSet
{
    private readonly Option<bool> _all = Flag("--all", "Everything: by_id/, by_tag/, home/, shared/ (the default).");
    private readonly Option<bool> _custom = Flag("--custom", "What the --mount-... options name (implied by them).");
    private readonly Option<bool> _home = Flag("--home", "Your home project.");
    private readonly Option<string?> _project = Text("--project", "UUID", "That project.");
    private readonly Option<string?> _collection = Text("--collection", "UUID_OR_PDH", "That collection.");
    private readonly Option<bool> _shared = Flag("--shared", "What others share with you.");
    private readonly Option<bool> _byId = Flag("--by-id", "Any collection or project by UUID or portable data hash.");
    private readonly Option<bool> _byPdh = Flag("--by-pdh", "Any content by portable data hash.");
    private readonly Option<bool> _byTag = Flag("--by-tag", "Collections by their tags.");
    private readonly Option<bool> _users = Flag("--users", "Home projects by user name.");

    private readonly (Option<string[]> Option, SitePlace Place)[] _places =
    [
        (Place("--mount-home", "your home project"), SitePlace.Home),
        (Place("--mount-shared", "what others share with you"), SitePlace.Shared),
        (Place("--mount-tmp", "a temporary collection: writable, never saved"), SitePlace.Tmp),
        (Place("--mount-by-id", "collections and projects by id"), SitePlace.ById),
        (Place("--mount-by-pdh", "content by portable data hash"), SitePlace.ByPdh),
        (Place("--mount-by-tag", "collections by tag"), SitePlace.ByTag),
        (Place("--mount-users", "home projects by user name"), SitePlace.Users),
    ];

    private IEnumerable<Option> Modes() =>
        [_all, _home, _project, _collection, _shared, _byId, _byPdh, _byTag, _users, _custom, .. _places.Select(place => place.Option)];

    private SiteRoot Root(ParseResult parsed)
    {
        Option[] modes = [_all, _home, _project, _collection, _shared, _byId, _byPdh, _byTag, _users, _custom];
        var given = modes.Where(mode => IsGiven(parsed, mode)).ToArray();
        if (given.Length > 1)
        {
            throw Usage($"{given[0].Name} and {given[1].Name}: only one of them can be the root; put several together with --mount-home PATH and the like.");
        }

        var places = _places.SelectMany(place => (parsed.GetValue(place.Option) ?? []).Select(name => (Name: Checked(place.Option.Name, name), place.Place))).ToArray();
        if (places.Length > 0 && given is [var mode] && mode != _custom)
        {
            throw Usage($"{mode.Name} cannot be combined with --mount-... options: those make up the root themselves.");
        }

        if (places.GroupBy(place => place.Name).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            throw Usage($"\"{twice.Key}\" is named by two --mount-... options.");
        }

        return (places.Length, given) switch
        {
            ( > 0, _) => new SiteRoot.Custom(places),
            (_, [var only]) when only == _custom => throw Usage("--custom needs at least one option such as --mount-home PATH."),
            (_, [var only]) when only == _project => new SiteRoot.Project(parsed.GetRequiredValue(_project)!),
            (_, [var only]) when only == _collection => new SiteRoot.Collection(parsed.GetRequiredValue(_collection)!),
            (_, [var only]) when only == _home => new SiteRoot.Only(SitePlace.Home),
            (_, [var only]) when only == _shared => new SiteRoot.Only(SitePlace.Shared),
            (_, [var only]) when only == _byId => new SiteRoot.Only(SitePlace.ById),
            (_, [var only]) when only == _byPdh => new SiteRoot.Only(SitePlace.ByPdh),
            (_, [var only]) when only == _byTag => new SiteRoot.Only(SitePlace.ByTag),
            (_, [var only]) when only == _users => new SiteRoot.Only(SitePlace.Users),
            _ => _style == MountStyle.ArvMount ? SiteRoot.All : SiteRoot.AllWithUsers,
        };
    }

    private static string Checked(string option, string name) =>
        name is "" or "." or ".." || name.Contains('/', StringComparison.Ordinal)
            ? throw Usage($"{option} \"{name}\": give a single name without a slash, not empty, not \".\" or \"..\".")
            : name;

    private static Option<string[]> Place(string name, string what) =>
        new(name) { HelpName = "PATH", Description = $"Show {what} under this name; may be repeated.", Arity = ArgumentArity.OneOrMore, AllowMultipleArgumentsPerToken = false };
}
