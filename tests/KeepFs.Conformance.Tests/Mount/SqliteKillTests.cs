using System.Diagnostics;
using System.Globalization;

namespace KeepFs.Conformance.Tests.Mount;

/// <summary>
/// A database in the mount, whose serving process is killed with SIGKILL in the middle of transactions: each whose COMMIT was answered is there, none is there by
/// half, and the database is sound. SQLite syncs before it answers, so this holds even without the journal of the mount.
/// </summary>
[Collection(ClusterTests.Name)]
public sealed class SqliteKillTests(SharedCluster shared)
{
    private static readonly int Kills = Environment.GetEnvironmentVariable("KEEPFS_TEST_FULL") == "1" ? 25 : 2;

    /// <summary>A supervised mount waits longer and longer before the next process when they die soon.</summary>
    private const int SupervisedKills = 2;
    private readonly KeepFsProcess _cluster = shared.Process;

    [Theory]
    [InlineData("DELETE")]
    [InlineData("WAL")]
    public async Task Committed_transactions_are_there_when_the_mount_was_killed_and_started_again(string mode)
    {
        await using var mount = await JournaledMount.StartAsync(_cluster);
        var database = await NewDatabaseAsync(mount.Home, mode);
        var random = new Random(7);
        long last = 0;
        for (var kill = 0; kill < Kills; kill++)
        {
            await using var load = new Load(database, last + 1);
            await Eventually.TrueAsync(() => load.Committed > last, "the first transaction after a kill");
            await Task.Delay(random.Next(100, 1200));
            await mount.KillAsync();
            await load.EndAsync();
            await mount.StartAgainAsync();
            last = await CheckAsync(database, load.Committed);
        }

        await mount.StopAsync();
    }

    [Theory]
    [InlineData("DELETE")]
    [InlineData("WAL")]
    public async Task Database_that_is_open_goes_on_when_a_supervised_mount_is_killed(string mode)
    {
        await using var mount = JournaledMount.Prepare(_cluster);
        mount.Options = ["--supervise"];
        await mount.StartAgainAsync();
        var database = await NewDatabaseAsync(mount.Home, mode);
        var random = new Random(8);
        await using (var load = new Load(database, 1))
        {
            for (var kill = 0; kill < SupervisedKills; kill++)
            {
                var before = load.Committed;
                await Eventually.TrueAsync(() => load.Committed > before || load.HasEnded, "transactions go on");
                await Task.Delay(random.Next(100, 1200));
                (await _cluster.ScriptAsync(string.Create(CultureInfo.InvariantCulture, $"kill -9 $(pgrep -P {mount.ProcessId})"))).Ok();
                await mount.ServedAsync();
            }

            var answered = load.Committed;
            await Eventually.TrueAsync(() => load.Committed > answered || load.HasEnded, "transactions go on after the last kill");
            Assert.False(load.HasEnded, load.Errors);
            await load.EndAsync();
            await CheckAsync(database, load.Committed);
        }

        await mount.StopAsync();
    }

    private async Task<string> NewDatabaseAsync(string home, string mode)
    {
        var folder = Path.Combine(home, $"sqlite {mode} {Guid.NewGuid():N}");
        Directory.CreateDirectory(folder);
        var database = Path.Combine(folder, "data.sqlite");
        (await _cluster.ScriptAsync($"sqlite3 '{database}' 'PRAGMA journal_mode={mode}; CREATE TABLE a(k INTEGER PRIMARY KEY); CREATE TABLE b(k INTEGER, part INTEGER, v BLOB);'")).Ok();
        return database;
    }

    /// <summary>Returns the last transaction that is there.</summary>
    private async Task<long> CheckAsync(string database, long committed)
    {
        var answer = (await _cluster.ScriptAsync(
            $"sqlite3 '{database}' 'PRAGMA integrity_check; SELECT count(*), coalesce(max(k), 0) FROM a; SELECT count(*) FROM b; SELECT count(DISTINCT k) FROM b WHERE k IN a;'")).Ok().Split('\n');
        Assert.Equal("ok", answer[0]);
        var (count, last) = (long.Parse(answer[1].Split('|')[0], CultureInfo.InvariantCulture), long.Parse(answer[1].Split('|')[1], CultureInfo.InvariantCulture));
        Assert.True(last >= committed, $"{committed} was committed, {last} is the last that is there.");
        Assert.Equal(last, count);
        Assert.Equal((count * 3).ToString(CultureInfo.InvariantCulture), answer[2]);
        Assert.Equal(count.ToString(CultureInfo.InvariantCulture), answer[3]);
        return last;
    }

    /// <summary>One connection that commits one transaction after the other, and says which.</summary>
    private sealed class Load : IAsyncDisposable
    {
        private readonly Process _process;
        private readonly Task _feeding;
        private readonly Task<string> _errors;
        private readonly Task _reading;
        private readonly CancellationTokenSource _ending = new();
        private long _committed;

        public Load(string database, long first)
        {
            _process = Shell.Start("sqlite3", ["-bail", "-batch", database], new Dictionary<string, string>(), null);
            _errors = _process.StandardError.ReadToEndAsync();
            _reading = ReadAsync();
            _feeding = FeedAsync(first);
        }

        public long Committed => Interlocked.Read(ref _committed);

        public bool HasEnded => _process.HasExited;

        public string Errors => _errors.IsCompleted ? _errors.Result : "";

        public async Task EndAsync()
        {
            await _ending.CancelAsync();
            await _feeding;
            await _process.WaitForExitAsync().WaitAsync(Shell.Limit);
            await _reading;
        }

        public async ValueTask DisposeAsync()
        {
            if (!_process.HasExited)
            {
                _process.Kill();
            }

            await EndAsync();
            _process.Dispose();
            _ending.Dispose();
        }

        private async Task FeedAsync(long first)
        {
            try
            {
                await _process.StandardInput.WriteLineAsync(".timeout 60000\nPRAGMA synchronous=FULL;");
                for (var next = first; !_ending.IsCancellationRequested; next++)
                {
                    var rows = string.Join(',', Enumerable.Range(0, 3).Select(part => string.Create(CultureInfo.InvariantCulture, $"({next},{part},randomblob({next * 37 % 5000}))")));
                    await _process.StandardInput.WriteLineAsync(
                        string.Create(CultureInfo.InvariantCulture, $"BEGIN; INSERT INTO a VALUES({next}); INSERT INTO b VALUES{rows}; COMMIT; SELECT 'committed', {next};"));
                    await _process.StandardInput.FlushAsync();
                    while (Committed < next && !_process.HasExited && !_ending.IsCancellationRequested)
                    {
                        await Task.Delay(2);
                    }

                    if (_process.HasExited)
                    {
                        return;
                    }
                }

                _process.StandardInput.Close();
            }
            catch (IOException)
            {
                // It has ended.
            }
        }

        private async Task ReadAsync()
        {
            while (await _process.StandardOutput.ReadLineAsync() is { } line)
            {
                if (line.StartsWith("committed|", StringComparison.Ordinal))
                {
                    Interlocked.Exchange(ref _committed, long.Parse(line.AsSpan("committed|".Length), CultureInfo.InvariantCulture));
                }
            }
        }
    }
}
