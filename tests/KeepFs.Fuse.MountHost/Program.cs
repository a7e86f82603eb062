using System.Diagnostics;
using System.Runtime.InteropServices;
using KeepFs.Fuse;
using KeepFs.Fuse.MountHost;
using KeepFs.Fuse.Takeover;
using KeepFs.Testing;

// Mounts a MemoryFileSystem at the first argument for tests, because a process must not use its own mount. Prints "ready", obeys commands
// on standard input, unmounts on SIGTERM and at the end of standard input. With --hold it starts itself for that and holds the mount.
var options = new FuseMountOptions
{
    MountPoint = args[0],
    IsReadOnly = args.Contains("--read-only"),
    AllowOther = args.Contains("--allow-other"),
    MaxPendingInvalidations = args.Contains("--tiny-queue") ? 2 : new FuseMountOptions { MountPoint = args[0] }.MaxPendingInvalidations,
    EagerNodes = args.Contains("--no-eager-nodes") ? 0 : new FuseMountOptions { MountPoint = args[0] }.EagerNodes,
    Held = HeldMount.FromEnvironment(),
};
if (args.Contains("--hold") && options.Held is null)
{
    return await HoldAsync();
}

await using var tree = new MemoryFileSystem(TimeProvider.System)
{
    IsCacheable = !args.Contains("--uncached"),
    HidesIds = args.Contains("--hide-ids"),
    ExtendedAttributes = args.Contains("--attributes") ? new Dictionary<string, string> { ["user.keepfs.uuid"] = "zzzzz-4zz18-0123456789abcde", ["user.keepfs.pdh"] = "ä" } : [],
    OffersBacking = args.Contains("--backing"),
    Before = args.Contains("--async") ? static async (_, _) => await Task.Yield() : null,
};
var load = Array.IndexOf(args, "--load");
if (load >= 0)
{
    await TreeLoader.LoadAsync(tree.Root, new DirectoryInfo(args[load + 1]));
}

FuseMount mount;
try
{
    mount = await FuseMount.StartAsync(tree, options, Console.Error.WriteLine);
}
catch (FuseMountException exception)
{
    Console.Error.WriteLine(exception.Message);
    return 1;
}

using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
{
    context.Cancel = true;
    _ = mount.UnmountAsync();
});
var isHandedOver = false;
using var handsOver = PosixSignalRegistration.Create((PosixSignal)10, context =>
{
    context.Cancel = true;
    isHandedOver = true;
    _ = mount.HandOverAsync();
});
Console.WriteLine("ready");
var commands = new CommandLoop(tree, mount);

// Reading the console blocks, whatever its name says.
await Task.WhenAny(Task.Run(() => commands.RunAsync(Console.In, Console.Out)), mount.Completion);
if (isHandedOver)
{
    await mount.Completion;
    if (load >= 0)
    {
        tree.Before = null;
        await TreeLoader.SaveAsync(tree.Root, new DirectoryInfo(args[load + 1]));
    }

    return HeldMount.HandedOverExitCode;
}

await mount.UnmountAsync();
Console.WriteLine($"unmounted {tree.OpenHandles}");
return 0;

async Task<int> HoldAsync()
{
    using var stop = new CancellationTokenSource();
    using var holder = await MountHolder.MountAsync(options, Console.Error.WriteLine);
    using var stops = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
    {
        context.Cancel = true;
        stop.Cancel();
    });
    using var upgrades = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
    {
        context.Cancel = true;
        holder.Upgrade();
    });
    return await holder.RunAsync(new ProcessStartInfo("dotnet", [typeof(CommandLoop).Assembly.Location, .. args]), static () => { }, stop.Token);
}
