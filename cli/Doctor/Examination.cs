using KeepFs.Cli.Keepstore;
using KeepFs.Engine.Volumes;

namespace KeepFs.Cli.Doctor;

/// <summary>What an examination needs of the machine; replaced in tests.</summary>
internal sealed record DoctorTools
{
    /// <summary>The disks under volumes.</summary>
    public IDisk Disk { get; init; } = new PosixDisk();

    /// <summary>The clock that is compared with others.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Where <c>/proc</c> is.</summary>
    public string Proc { get; init; } = "/proc";

    /// <summary>Tells whether a host name is this machine.</summary>
    public Func<string, bool> IsHere { get; init; } = ServerUrl.IsThisMachine;
}

/// <summary>
/// Examines one node: its configuration, keys, certificate, volumes, memory, limits, and its neighbours. Changes nothing but a probe file in
/// each writable volume, which it removes.
/// </summary>
internal static class Examination
{
    /// <param name="configFile">The configuration.</param>
    /// <param name="isUp">It belongs to a <c>keepfs up</c>, whose volumes may be anywhere.</param>
    /// <param name="tools">The machine.</param>
    /// <param name="cancellationToken">Stops.</param>
    public static async Task<Diagnosis> RunAsync(string configFile, bool isUp, DoctorTools tools, CancellationToken cancellationToken)
    {
        var findings = new Findings("config");
        if (ConfigChecks.Load(configFile, findings) is not { } config)
        {
            return new Diagnosis(findings.All);
        }

        var here = config.Services.Keepstore.InternalURLs.Keys.Concat(config.Services.Keepgw.InternalURLs.Keys)
            .Where(url => tools.IsHere(new Uri(url).Host.Trim('[', ']'))).ToHashSet(StringComparer.Ordinal);
        List<Finding> all =
        [
            .. findings.All,
            .. KeyChecks.Run(config),
            .. CertificateChecks.Run(config, tools.Time),
            .. HostChecks.Run(config, tools.Proc),
            .. await new VolumeChecks(config, here, isUp, tools).RunAsync(cancellationToken),
            .. await new ServiceChecks(config, here, tools.Time).RunAsync(cancellationToken),
        ];
        return new Diagnosis(all);
    }
}
