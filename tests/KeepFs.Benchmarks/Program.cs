using KeepFs.Benchmarks;

// Run it alone on the machine: dotnet run -c Release --project tests/KeepFs.Benchmarks
await Md5Bench.RunAsync();
