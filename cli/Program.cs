using System.CommandLine;
using KeepFs.Cli;
using KeepFs.Cli.Mount;
using KeepFs.Cli.Verbs;

var (arguments, exec) = ExecArguments.Split(InvokedName.Prepare(args, InvokedName.Find()));
var root = new RootCommand("KeepFs: content-addressed storage that speaks the Arvados Keep protocols.")
{
    UpCommand.Create(),
    PutCommand.Create(),
    GetCommand.Create(),
    LsCommand.Create(),
    MountCommand.Create(MountStyle.KeepFs, arguments, exec),
    MountCommand.Create(MountStyle.ArvMount, arguments, exec),
    DiffCommand.Create(),
    StatusCommand.Create(),
    UserCommand.Create(),
    GroupCommand.Create(),
    QuotaCommand.Create(),
    WhyCommand.Create(),
    ProjectCommand.Create(),
    CollectionCommand.Create(),
    TokenCommand.Create(),
    KeepServiceCommand.Create(),
    CatalogCommand.Create(),
    DemoCommand.Create(),
    KeepstoreCommand.Create(),
    ScrubCommand.Create(),
    GatewayCommand.Create(),
    DoctorCommand.Create(),
    BenchCommand.Create(),
};
return await CommandRunner.RunAsync(root, arguments);
