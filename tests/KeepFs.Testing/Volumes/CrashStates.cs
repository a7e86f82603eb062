namespace KeepFs.Testing.Volumes;

/// <summary>
/// The states that a crash after these steps may leave. A step that a later one covered by a sync is kept. Of the others each name step
/// is kept or lost by itself (which includes every prefix of a journal); of a file each 512 bytes of what was written are new,
/// zero or garbage, its size is the old one, the new one or ends at any of these sectors, and its time is any that it had.
/// </summary>
internal sealed class CrashStates
{
    private const int SectorBytes = 512;
    private const byte Garbage = 0xa5;
    private readonly Dictionary<int, CrashNode> _safe;
    private readonly List<CrashStep> _names;
    private readonly Dictionary<int, List<CrashStep>> _bytes;
    private readonly List<CrashStep> _allNames;
    private readonly HashSet<CrashStep> _unsafe;

    public CrashStates(Dictionary<int, CrashNode> start, List<CrashStep> steps)
    {
        _safe = start.ToDictionary(entry => entry.Key, entry => entry.Value.Copy());
        _unsafe = new HashSet<CrashStep>(ReferenceEqualityComparer.Instance);
        for (var i = 0; i < steps.Count; i++)
        {
            if (!steps.Skip(i + 1).Any(later => later.Covers(steps[i])))
            {
                _unsafe.Add(steps[i]);
            }
        }

        foreach (var step in steps.Where(step => step.BytesOf is not null && !_unsafe.Contains(step)))
        {
            _safe[step.BytesOf!.Value].ApplyBytes(step);
        }

        _allNames = [.. steps.Where(step => step.NamesOf is not null)];
        _names = [.. _allNames.Where(_unsafe.Contains)];
        _bytes = steps.Where(step => step.BytesOf is not null && _unsafe.Contains(step)).GroupBy(step => step.BytesOf!.Value).ToDictionary(group => group.Key, group => group.ToList());
    }

    /// <summary>All states, or so many of them.</summary>
    public IEnumerable<Dictionary<int, CrashNode>> Choose(int most, int seed)
    {
        // Sixty steps whose names are all unsafe are no scenario that anybody wants.
        var nameChoices = 1L << Math.Min(_names.Count, 60);
        var count = 0L;
        for (var names = 0L; names < nameChoices && count <= most; names++)
        {
            count += Reachable(WithNames(names)).Aggregate(1L, (product, file) => Math.Min(product * Options(file), most + 1L));
        }

        return count <= most ? All(nameChoices) : Some(nameChoices, most, new Random(seed));
    }

    private IEnumerable<Dictionary<int, CrashNode>> All(long nameChoices)
    {
        for (var names = 0L; names < nameChoices; names++)
        {
            var files = Reachable(WithNames(names));
            var left = files.Aggregate(1L, (product, file) => product * Options(file));
            for (var choice = 0L; choice < left; choice++)
            {
                yield return State(names, files, choice);
            }
        }
    }

    private IEnumerable<Dictionary<int, CrashNode>> Some(long nameChoices, int most, Random random)
    {
        var yielded = 0;

        // Every prefix of the journal of names, with the bytes all lost and all there.
        for (var kept = 0; kept <= Math.Min(_names.Count, 60); kept++)
        {
            var names = (1L << kept) - 1;
            foreach (var isKept in (bool[])[false, true])
            {
                yielded++;
                yield return State(names, Reachable(WithNames(names)), _ => isKept ? long.MaxValue : 0);
            }
        }

        while (yielded++ < most)
        {
            var names = random.NextInt64(nameChoices);
            yield return State(names, Reachable(WithNames(names)), random.NextInt64);
        }
    }

    private Dictionary<int, CrashNode> State(long names, List<int> files, long choice) => State(names, files, options =>
    {
        var mine = choice % options;
        choice /= options;
        return mine;
    });

    private Dictionary<int, CrashNode> State(long names, List<int> files, Func<long, long> choose)
    {
        var nodes = WithNames(names);
        foreach (var file in files)
        {
            var options = Options(file);
            Apply(nodes[file], _bytes[file], Math.Min(choose(options), options - 1));
        }

        return nodes;
    }

    private Dictionary<int, CrashNode> WithNames(long kept)
    {
        var nodes = _safe.ToDictionary(entry => entry.Key, entry => entry.Value.Copy());
        var bit = 0;
        foreach (var step in _allNames)
        {
            if (!_unsafe.Contains(step) || (kept & (1L << bit++)) != 0)
            {
                nodes[step.NamesOf!.Value].ApplyNames(step);
            }
        }

        return nodes;
    }

    /// <summary>Files with something unsafe in them that have a name.</summary>
    private List<int> Reachable(Dictionary<int, CrashNode> nodes)
    {
        var found = new SortedSet<int>();
        var left = new Stack<int>([0]);
        while (left.TryPop(out var id))
        {
            foreach (var child in nodes[id].Names?.Values ?? Enumerable.Empty<int>())
            {
                left.Push(child);
            }

            if (_bytes.ContainsKey(id))
            {
                found.Add(id);
            }
        }

        return [.. found];
    }

    /// <summary>Times, sizes and sectors of a file, as one number. The last option is that everything is there.</summary>
    private long Options(int file)
    {
        var steps = _bytes[file];
        var (sectors, sizes) = Sectors(steps);
        return Enumerable.Repeat(3L, sectors).Aggregate((long)(Times(steps) + 1) * sizes, (product, three) => Math.Min(product * three, long.MaxValue / 4));
    }

    private static int Times(List<CrashStep> steps) => steps.Count(step => step is CrashStep.Time);

    /// <summary>Sectors that were written, and sizes that the file may have: the safe one, or up to the end of any of these.</summary>
    private static (int Sectors, int Sizes) Sectors(List<CrashStep> steps)
    {
        var sectors = steps.OfType<CrashStep.Write>().Sum(write => (write.Data.Length + SectorBytes - 1) / SectorBytes);
        return (sectors, sectors + 1);
    }

    private static void Apply(CrashNode node, List<CrashStep> steps, long option)
    {
        var (_, sizes) = Sectors(steps);
        var times = Times(steps);
        var time = (int)(option % (times + 1));
        option /= times + 1;
        var size = (int)(option % sizes);
        option /= sizes;
        if (time > 0)
        {
            node.ApplyBytes(steps.OfType<CrashStep.Time>().ElementAt(time - 1));
        }

        var length = node.Data.Length;
        var sector = 0;
        foreach (var write in steps.OfType<CrashStep.Write>())
        {
            for (var at = 0; at < write.Data.Length; at += SectorBytes, option /= 3)
            {
                var bytes = write.Data.AsSpan(at, Math.Min(SectorBytes, write.Data.Length - at)).ToArray();
                switch (option % 3)
                {
                    case 0:
                        Array.Clear(bytes);
                        break;
                    case 1:
                        Array.Fill(bytes, Garbage);
                        break;
                }

                node.ApplyBytes(new CrashStep.Write(0, write.Offset + at, bytes));
                if (sector++ < size)
                {
                    length = Math.Max(length, (int)write.Offset + at + bytes.Length);
                }
            }
        }

        node.Data = node.Data[..length];
    }
}
