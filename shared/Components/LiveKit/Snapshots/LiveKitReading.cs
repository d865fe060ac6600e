namespace FunctionsBackup.Components.LiveKit.Snapshots;

/// <summary>What was seen while a server was read. Told by several threads.</summary>
public sealed class LiveKitReading
{
    private const int MaximumListed = 100;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, long> _counts = LiveKitKind.All.ToDictionary(k => k.Name, _ => 0L);
    private readonly Dictionary<string, string> _missing = [];
    private readonly HashSet<string> _vanished = new(StringComparer.Ordinal);

    /// <summary>Objects by <see cref="LiveKitKind.Name"/>.</summary>
    public IReadOnlyDictionary<string, long> Counts => _counts;

    /// <summary>Kinds that the server does not offer, with its sentence: not the same as having none.</summary>
    public IReadOnlyDictionary<string, string> Missing => _missing;

    /// <summary>Rooms that ended between the list and the look inside; at most 100 names.</summary>
    public IReadOnlyList<string> Vanished => [.. _vanished.Order(StringComparer.Ordinal).Take(MaximumListed)];

    public long VanishedCount => _vanished.Count;

    internal long Add(LiveKitKind kind)
    {
        lock (_gate)
        {
            _counts[kind.Name]++;
            return _counts.Values.Sum();
        }
    }

    internal bool IsMissing(LiveKitKind kind)
    {
        lock (_gate) return _missing.ContainsKey(kind.Name);
    }

    internal void SetMissing(LiveKitKind kind, string sentence)
    {
        lock (_gate) _missing.TryAdd(kind.Name, sentence);
    }

    internal void Vanish(string room)
    {
        lock (_gate) _vanished.Add(room);
    }
}
