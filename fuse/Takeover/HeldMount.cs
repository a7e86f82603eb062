using System.Globalization;
using KeepFs.Fuse.Interop;
using KeepFs.Fuse.Mounting;
using KeepFs.Fuse.Protocol;
using Microsoft.Win32.SafeHandles;

namespace KeepFs.Fuse.Takeover;

/// <summary>
/// A mount whose devices another process, the <see cref="MountHolder"/>, keeps open, as it is handed to the process that serves it: in an
/// environment variable that names inherited descriptors. Passed on in <see cref="FuseMountOptions.Held"/>, once.
/// </summary>
public sealed class HeldMount
{
    /// <summary>Of the process that is to serve a held mount.</summary>
    public const string EnvironmentVariable = "KEEPFS_HELD_MOUNT";

    /// <summary>Exit code of a process that wants another one to take over, after an upgrade.</summary>
    public const int HandedOverExitCode = 75;

    private readonly int[] _devices;
    private readonly int[] _state;
    private readonly int _ready;

    private HeldMount(Negotiation agreed, int[] devices, int[] state, int ready, string mountPoint) =>
        (Agreed, _devices, _state, _ready, MountPoint) = (agreed, devices, state, ready, mountPoint);

    /// <summary>Its real path. Nothing may touch it before the mount is served: it would wait for this very process.</summary>
    public string MountPoint { get; }

    internal Negotiation Agreed { get; }

    /// <summary>The mount that this process was started for, or null when it is to mount itself.</summary>
    /// <exception cref="FuseMountException">The variable is there and makes no sense.</exception>
    public static HeldMount? FromEnvironment() =>
        Environment.GetEnvironmentVariable(EnvironmentVariable) is { Length: > 0 } text ? Parse(text) : null;

    internal static string Describe(Negotiation agreed, IEnumerable<int> devices, IEnumerable<int> state, int ready, string mountPoint) =>
        string.Create(CultureInfo.InvariantCulture, $"{agreed};{string.Join(',', devices)};{string.Join(',', state)};{ready};{mountPoint}");

    internal static HeldMount Parse(string text) =>
        text.Split(';', 5) is [var agreedText, var devices, var state, var ready, var mountPoint]
        && Negotiation.TryParse(agreedText, out var agreed)
        && Numbers(devices) is { Length: > 0 } deviceNumbers
        && Numbers(state) is { Length: 2 } stateNumbers
        && Numbers(ready) is [var readyNumber]
            ? new HeldMount(agreed, deviceNumbers, stateNumbers, readyNumber, mountPoint)
            : throw new FuseMountException($"{EnvironmentVariable} is set, but not by keepfs mount --supervise: {text}");

    /// <summary>The devices, which programs started from here do not inherit.</summary>
    internal IReadOnlyList<FuseDevice> TakeDevices() => [.. _devices.Select(descriptor => new FuseDevice(Private(descriptor)))];

    internal StateLog OpenState(out MountState state) =>
        StateLog.Open(new SafeFileHandle(Private(_state[0]), ownsHandle: true), new SafeFileHandle(Private(_state[1]), ownsHandle: true), out state);

    /// <summary>Tells the holder that the mount is served.</summary>
    internal unsafe void SayReady()
    {
        byte ready = 1;
        _ = LibC.Write(_ready, &ready, 1);
        _ = LibC.Close(_ready);
    }

    private static int Private(int descriptor)
    {
        _ = LibC.FileControl(descriptor, LibC.SetDescriptorFlags, LibC.DescriptorCloseOnExec);
        return descriptor;
    }

    private static int[]? Numbers(string text)
    {
        var words = text.Split(',');
        var numbers = new int[words.Length];
        for (var i = 0; i < words.Length; i++)
        {
            if (!int.TryParse(words[i], NumberStyles.None, CultureInfo.InvariantCulture, out numbers[i]))
            {
                return null;
            }
        }

        return numbers;
    }
}
