namespace KeepFs.Fuse.Tests;

/// <summary>For what the kernel does in its own time (FORGET, RELEASE, invalidation): asks until it is so, for at most 30 seconds.</summary>
internal static class Eventually
{
    private const int MaxTries = 3000;

    public static async Task AsyncTrue(Func<Task<bool>> condition)
    {
        for (var i = 0; i < MaxTries; i++)
        {
            if (await condition())
            {
                return;
            }

            await Task.Delay(10);
        }

        Assert.Fail("It did not become so.");
    }
}
