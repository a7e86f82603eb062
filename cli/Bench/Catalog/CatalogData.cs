using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace KeepFs.Cli.Bench.Catalog;

/// <summary>
/// What is in the catalogue before anything is measured, in the form of <c>keepfs catalog import</c>: people in teams, teams in departments, projects inside
/// projects that are shared with teams, departments and people, and collections in them, the same ones each time.
/// </summary>
internal sealed class CatalogData(CatalogBenchOptions options)
{
    public const string Cluster = "zbnch";

    /// <summary>Users whose tokens are known.</summary>
    public const int Readers = 50;

    /// <summary>One group with every user in it, two with a hundred and a tenth of them; nothing is shared with them.</summary>
    public const string Everybody = Cluster + "-j7d0g-fffffffffffffff", Tenth = Cluster + "-j7d0g-tenthofallusers", Hundred = Cluster + "-j7d0g-hundredofallusr";

    /// <summary>A project with a tenth of all collections, which only its owner sees, the last reader.</summary>
    public const string Large = Cluster + "-j7d0g-largeprojectxxx";

    private const int Departments = 10, Batches = 1000;
    private static readonly DateTime First = new(2023, 1, 1, 0, 0, 0, DateTimeKind.Utc);
    private static readonly string[] Types = ["fastq", "bam", "vcf", "cram", "report"];

    public int Users => Math.Max(options.Users, Readers);

    public int Teams => Math.Max(Departments, Users / 10);

    public int Projects => Math.Max(100, options.Collections / 100);

    public int Collections => options.Collections;

    public static string User(int number) => Uuid("tpzed", number);

    public static string Token(int reader) => $"v2/{Uuid("gj3su", reader)}/{Secret(reader)}";

    public static string Collection(int number) => Uuid("4zz18", number);

    public static string Project(int number) => Uuid("j7d0g", 5_000_000 + number);

    public static string Batch(Random random) => $"B{random.Next(Batches)}";

    public static string Type(Random random) => Types[random.Next(Types.Length)];

    /// <summary>When a collection was changed last.</summary>
    public DateTime ModifiedAt(int number) => First.AddSeconds((double)Scatter(number) / Collections * 94_000_000);

    /// <summary>A project that the team of a reader was given.</summary>
    public int ProjectOf(int reader, int which) => TeamProject(Team(reader, which % 3), which / 3 % 3);

    /// <summary>Puts it into a catalogue that holds nothing yet; returns how long that took.</summary>
    public async Task<TimeSpan> ImportAsync(CatalogProcess catalog, CancellationToken cancellationToken)
    {
        using var handler = new SocketsHttpHandler { UseProxy = false };
#pragma warning disable CA5359 // The bench's own server.
        handler.SslOptions.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
#pragma warning restore CA5359
        using var http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        using var request = new HttpRequestMessage(HttpMethod.Post, $"https://{catalog.Address}/{KeepFs.Catalog.Exchange.CatalogExchange.Path}/import")
        {
            Content = new Lines(Write),
            Headers = { Authorization = new AuthenticationHeaderValue("Bearer", catalog.RootToken) },
        };
        var started = System.Diagnostics.Stopwatch.GetTimestamp();
        using var answer = await http.SendAsync(request, cancellationToken);
        return answer.IsSuccessStatusCode
            ? System.Diagnostics.Stopwatch.GetElapsedTime(started)
            : throw new IOException($"the import was answered with {(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync(cancellationToken)}");
    }

    private void Write(StreamWriter to)
    {
        WritePeople(to);
        WriteProjects(to);
        for (var i = 0; i < Collections; i++)
        {
            WriteCollection(to, i);
        }
    }

    private void WritePeople(StreamWriter to)
    {
        for (var i = 0; i < Users; i++)
        {
            Line(to, $$"""{"kind":"arvados#user","uuid":"{{User(i)}}","username":"user{{i}}","first_name":"User","last_name":"{{i}}","email":"user{{i}}@example.com","is_active":true}""");
            Permit(to, User(i), Everybody, "can_read");
            foreach (var team in Enumerable.Range(0, 3).Select(k => Team(i, k)).Distinct())
            {
                Permit(to, User(i), Role(team), "can_read");
            }

            if (i % 10 == 3)
            {
                Permit(to, User(i), Tenth, "can_read");
            }

            if (i < 100)
            {
                Permit(to, User(i), Hundred, "can_read");
            }
        }

        for (var i = 0; i < Readers; i++)
        {
            Line(to, $$"""{"kind":"arvados#apiClientAuthorization","uuid":"{{Uuid("gj3su", i)}}","owner_uuid":"{{User(i)}}","api_token":"{{Secret(i)}}"}""");
        }

        for (var i = 0; i < Departments + Teams; i++)
        {
            Line(to, $$"""{"kind":"arvados#group","uuid":"{{Role(i)}}","name":"{{(i < Departments ? "Department" : "Team")}} {{i}}","group_class":"role"}""");
            if (i >= Departments)
            {
                Permit(to, Role(i), Role(i % Departments), "can_read");
            }
        }

        Line(to, $$"""{"kind":"arvados#group","uuid":"{{Tenth}}","name":"A tenth","group_class":"role"}""");
        Line(to, $$"""{"kind":"arvados#group","uuid":"{{Hundred}}","name":"A hundred","group_class":"role"}""");
    }

    private void WriteProjects(StreamWriter to)
    {
        // A tenth belong to users; each of the others is inside one of those before it.
        var top = Projects / 10;
        for (var i = 0; i < Projects; i++)
        {
            var owner = i < top ? User(i % Users) : Project((i - top) / 2);
            Line(to, $$"""{"kind":"arvados#group","uuid":"{{Project(i)}}","owner_uuid":"{{owner}}","name":"Project {{i}}","group_class":"project","modified_at":"{{First.AddHours(i):O}}"}""");
        }

        Line(to, $$"""{"kind":"arvados#group","uuid":"{{Large}}","owner_uuid":"{{User(Readers - 1)}}","name":"Large project","group_class":"project"}""");
        for (var team = Departments; team < Departments + Teams; team++)
        {
            foreach (var project in Enumerable.Range(0, 3).Select(k => TeamProject(team, k)).Distinct())
            {
                Permit(to, Role(team), Project(project), project % 2 == 0 ? "can_write" : "can_read");
            }
        }

        // Departments see more and more: from a five hundredth of the projects at the top to a twenty-fifth.
        for (var i = 0; i < top; i++)
        {
            for (var department = 0; department < Departments; department++)
            {
                if (Scatter(i, department, 1000) < 2 + (4 * department))
                {
                    Permit(to, Role(department), Project(i), "can_read");
                }
            }
        }
    }

    private void WriteCollection(StreamWriter to, int number)
    {
        var owner = (number % 10) switch
        {
            0 => Large,
            1 => User(Scatter(number, 1, Users)),
            _ => Project(Scatter(number, 2, Projects)),
        };
        var trash = number % 100 == 57 ? $",\"trash_at\":\"2025-12-01T00:00:00Z\",\"delete_at\":\"2099-12-01T00:00:00Z\"" : "";
        var manifest = new StringBuilder(".");
        var blocks = 1 + (number % 3);
        for (var i = 0; i < blocks; i++)
        {
            manifest.Append(CultureInfo.InvariantCulture, $" {(ulong)Scatter(number, i, int.MaxValue):x8}{(ulong)number:x16}{i:x8}+67108864");
        }

        manifest.Append(CultureInfo.InvariantCulture, $" 0:{(blocks * 67108864L) - 1000}:reads_{number % 7}.fastq.gz {(blocks * 67108864L) - 1000}:1000:summary.txt\\n");
        var time = ModifiedAt(number).ToString("O");
        Line(to, $$$"""{"kind":"arvados#collection","uuid":"{{{Collection(number)}}}","owner_uuid":"{{{owner}}}","name":"{{{Name(number)}}}","created_at":"{{{time}}}","modified_at":"{{{time}}}","modified_by_user_uuid":"{{{User(number % Users)}}}","properties":{"sample":"S{{{number / 10}}}","type":"{{{Types[Scatter(number, 3, Types.Length)]}}}","batch":"B{{{Scatter(number, 4, Batches)}}}"}{{{trash}}},"manifest_text":"{{{manifest}}}"}""");
        if (number % 1000 == 7)
        {
            Permit(to, User(Scatter(number, 5, Users)), Collection(number), "can_read");
        }
    }

    public static string Name(int number) => $"sample-{number:d7} lane {number % 8} of run R{number % 997}";

    private int Team(int user, int which) => Departments + Scatter(user, 10 + which, Teams);

    private int TeamProject(int team, int which) => Scatter(team, 20 + which, Projects);

    private static string Role(int number) => Uuid("j7d0g", 1_000_000 + number);

    private static string Secret(int reader) => $"benchmarksecret{reader:d35}";

    private static string Uuid(string infix, int number) => $"{Cluster}-{infix}-x{number:d14}";

    private static void Permit(StreamWriter to, string tail, string head, string level) =>
        Line(to, $$"""{"kind":"arvados#link","uuid":"{{Cluster}}-o0j2j-{{Scattered(tail, head)}}","link_class":"permission","name":"{{level}}","tail_uuid":"{{tail}}","head_uuid":"{{head}}"}""");

    private static string Scattered(string tail, string head) => Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.ASCII.GetBytes(tail + head)))[..15];

    private int Scatter(int number) => (int)((long)number * 7919 % Collections);

    // The same number each time, and none that shows where it came from.
    private static int Scatter(int number, int kind, int below)
    {
        var x = ((ulong)number * 0x9E3779B97F4A7C15) + ((ulong)kind * 0xD1B54A32D192ED03) + 1;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return (int)((x ^ (x >> 31)) % (ulong)below);
    }

    private static void Line(StreamWriter to, FormattableString line) => to.Write(line.ToString(CultureInfo.InvariantCulture) + "\n");

    private sealed class Lines : HttpContent
    {
        private readonly Action<StreamWriter> _write;

        public Lines(Action<StreamWriter> write)
        {
            _write = write;
            Headers.ContentType = new MediaTypeHeaderValue(KeepFs.Catalog.Exchange.CatalogExchange.ContentType);
        }

        // Made while it is sent; what a million collections are as text does not fit into memory.
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => Task.Factory.StartNew(
            () =>
            {
                using var writer = new StreamWriter(stream, new UTF8Encoding(false), 1 << 16, leaveOpen: true);
                _write(writer);
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
