namespace KeepFs.Engine.Manifests;

/// <summary>Rules for paths inside a collection, on unescaped UTF-8.</summary>
public static class ManifestPath
{
    /// <summary>Longest name of one component in bytes, as on Linux; longer ones could not be shown by a mount.</summary>
    public const int MaxNameBytes = 255;

    /// <summary>One or more components, none of them empty, "." or "..".</summary>
    public static bool IsClean(ReadOnlySpan<byte> path)
    {
        while (true)
        {
            var slash = path.IndexOf((byte)'/');
            var component = slash < 0 ? path : path[..slash];
            if (component.IsEmpty || component.SequenceEqual("."u8) || component.SequenceEqual(".."u8))
            {
                return false;
            }

            if (slash < 0)
            {
                return true;
            }

            path = path[(slash + 1)..];
        }
    }
}
