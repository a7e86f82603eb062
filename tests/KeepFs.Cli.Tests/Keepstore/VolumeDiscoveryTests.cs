using KeepFs.Cli.Keepstore;

namespace KeepFs.Cli.Tests.Keepstore;

public sealed class VolumeDiscoveryTests
{
    private const string MountInfo = """
        21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
        22 21 0:20 / /proc rw - proc proc rw
        23 21 8:17 / /mnt rw,relatime shared:2 master:1 - ext4 /dev/sdb1 rw,errors=remount-ro
        24 21 8:33 / /mnt2 ro,relatime - xfs /dev/sdc1 rw
        25 21 8:49 / /mnt3 rw - xfs /dev/sdd1 ro
        26 21 0:30 / /ram\040disk rw - tmpfs tmpfs rw
        27 21 0:31 / /net rw - nfs server:/export rw
        28 21 8:17 / /again rw - ext4 /dev/sdb1 rw
        29 21 8:17 /sub /part rw - ext4 /dev/sdb1 rw
        30 21 8:65 / /nokeep rw - ext4 /dev/sde1 rw
        31 21 8:81 / /hidden ro - ext4 /dev/sdf1 ro
        32 31 8:97 / /hidden rw - ext4 /dev/sdg1 rw
        nonsense
        """;

    [Fact]
    public void Keep_directories_at_the_top_of_disks_are_found_once_each()
    {
        var found = VolumeDiscovery.Find(MountInfo, path => path != "/nokeep/keep");

        Assert.Equal(
            [("/mnt/keep", false), ("/mnt2/keep", true), ("/mnt3/keep", true), ("/ram disk/keep", false), ("/part/keep", false), ("/hidden/keep", false)],
            found.Select(volume => (volume.Name, volume.IsReadOnly)));
    }
}
