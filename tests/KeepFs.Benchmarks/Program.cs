using KeepFs.Benchmarks;

// Run it alone on the machine: dotnet run -c Release --project tests/KeepFs.Benchmarks [md5 | commit [FOLDER]]
switch (args)
{
    case [] or ["md5"]:
        await Md5Bench.RunAsync();
        return 0;
    case ["commit", .. var rest]:
        await CommitBench.RunAsync(rest is [var folder] ? folder : Path.GetTempPath());
        return 0;
    default:
        Console.Error.WriteLine("md5: every width of the multi-buffer MD5\ncommit [FOLDER]: durable small writes with their own and with shared syncs, on the disk of that folder");
        return 2;
}
