using System.Runtime.InteropServices;
using KeepFs.Fuse;
using KeepFs.Fuse.MountHost;
using KeepFs.Testing;

// Mounts a MemoryFileSystem at the first argument for tests, because a process must not use its own mount. Prints "ready", obeys commands
// on standard input, unmounts on SIGTERM and at the end of standard input.
await using var tree = new MemoryFileSystem(TimeProvider.System)
{
    IsCacheable = !args.Contains("--uncached"),
    Before = args.Contains("--async") ? static async (_, _) => await Task.Yield() : null,
};
var options = new FuseMountOptions
{
    MountPoint = args[0],
    IsReadOnly = args.Contains("--read-only"),
    MaxPendingInvalidations = args.Contains("--tiny-queue") ? 2 : new FuseMountOptions { MountPoint = args[0] }.MaxPendingInvalidations,
};
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
Console.WriteLine("ready");
var commands = new CommandLoop(tree, mount);

// Reading the console blocks, whatever its name says.
await Task.WhenAny(Task.Run(() => commands.RunAsync(Console.In, Console.Out)), mount.Completion);
await mount.UnmountAsync();
Console.WriteLine($"unmounted {tree.OpenHandles}");
return 0;
