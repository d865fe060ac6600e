using FunctionsBackup.Storage;

namespace FunctionsBackup.Components.PostgreSql.Wal.Recovery;

/// <summary>The names of all that is archived of one cluster, from one listing.</summary>
internal sealed class WalInventory
{
    private readonly SortedDictionary<uint, SortedSet<ulong>> _known = [];
    private readonly HashSet<WalSegmentName> _complete = [];
    private readonly HashSet<WalSegmentName> _unfinished = [];
    private readonly int _segmentSize;

    private WalInventory(int segmentSize) => _segmentSize = segmentSize;

    /// <summary>Timelines whose history file is archived, ascending.</summary>
    public SortedSet<uint> Histories { get; } = [];

    public static async ValueTask<WalInventory> LoadAsync(
        IObjectStore store, WalObjectNames names, int segmentSize, CancellationToken cancellationToken)
    {
        var inventory = new WalInventory(segmentSize);
        await foreach (var item in store.ListAsync(names.Root, cancellationToken)) inventory.Add(item.Name);
        return inventory;
    }

    public bool IsComplete(in WalSegmentName name) => _complete.Contains(name);

    public bool HasAnything(in WalSegmentName name) => _complete.Contains(name) || _unfinished.Contains(name);

    /// <summary>The first archived segment at or after a position that lies on the way to a timeline, or null.</summary>
    public Lsn? FirstAtOrAfter(TimelineHistory path, Lsn position)
    {
        Lsn? first = null;
        foreach (var timeline in path.Ancestors.Select(a => a.Timeline).Append(path.Timeline))
        {
            // What a timeline has behind its fork is another history, not more of this one.
            var last = (path.SwitchedFrom(timeline)?.Value ?? ulong.MaxValue) - 1;
            if (last < position.Value || !_known.TryGetValue(timeline, out var starts)) continue;
            var view = starts.GetViewBetween(position.Value, last);
            if (view.Count > 0 && (first is null || view.Min < first.Value.Value)) first = new Lsn(view.Min);
        }

        return first;
    }

    /// <summary>Start of the last archived segment of a timeline, complete or not, or null if there is none.</summary>
    public Lsn? LastOf(uint timeline) => _known.TryGetValue(timeline, out var starts) ? new Lsn(starts.Max) : null;

    private void Add(string objectName)
    {
        if (WalObjectNames.TryParsePart(objectName, out var part, out _, out _))
        {
            Note(part, _unfinished);
            return;
        }

        if (!WalFileName.TryParse(WalObjectNames.FileName(objectName), out var name)) return;
        if (name.Kind == WalFileKind.History) Histories.Add(name.Timeline);
        else if (name.Kind == WalFileKind.Segment) Note(name.Segment, _complete);
        else if (name.Kind == WalFileKind.PartialSegment) Note(name.Segment, _unfinished);
    }

    private void Note(in WalSegmentName name, HashSet<WalSegmentName> set)
    {
        if (!set.Add(name)) return;
        if (!_known.TryGetValue(name.Timeline, out var starts)) _known.Add(name.Timeline, starts = []);
        starts.Add(name.Start(_segmentSize).Value);
    }
}
