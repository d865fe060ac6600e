using System.Globalization;
using System.Text;

namespace FunctionsBackup.Components.PostgreSql.Wal;

/// <summary>One line of a history file: <see cref="Timeline"/> was left at <see cref="SwitchedAt"/>.</summary>
public readonly record struct TimelineFork(uint Timeline, Lsn SwitchedAt);

/// <summary>
/// Where a timeline comes from (PostgreSQL manual, 26.3.6 Timelines; timeline.c): its ancestors, the first one first, each with the LSN at
/// which the next forked off.
/// </summary>
/// <param name="Timeline">The timeline itself.</param>
/// <param name="Ancestors">Ascending; empty for timeline 1.</param>
public sealed record TimelineHistory(uint Timeline, IReadOnlyList<TimelineFork> Ancestors)
{
    public const int MaximumSize = 1 << 20;

    /// <summary>A timeline without a history file: the first of its cluster.</summary>
    public static TimelineHistory First(uint timeline) => new(timeline, []);

    /// <exception cref="WalFormatException">This is not a history file of that timeline.</exception>
    public static TimelineHistory Parse(uint timeline, ReadOnlySpan<byte> content)
    {
        if (content.Length > MaximumSize) throw Wrong($"has {content.Length} bytes");
        var forks = new List<TimelineFork>();
        foreach (var line in Encoding.UTF8.GetString(content).Split('\n'))
        {
            var text = line.Trim();
            if (text.Length == 0 || text[0] == '#') continue;
            var fields = text.Split((char[]?)null, 3, StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length < 2
                || !uint.TryParse(fields[0], NumberStyles.None, CultureInfo.InvariantCulture, out var ancestor)
                || !Lsn.TryParse(fields[1], out var switchedAt))
                throw Wrong($"has a line that is no \"timeline LSN reason\": '{(text.Length > 60 ? text[..60] : text)}'");
            if (ancestor >= timeline || ancestor == 0 || (forks.Count > 0 && ancestor <= forks[^1].Timeline))
                throw Wrong($"names timeline {ancestor} out of order");
            forks.Add(new TimelineFork(ancestor, switchedAt));
        }

        return new TimelineHistory(timeline, forks);

        WalFormatException Wrong(string what) => new($"The history file of timeline {timeline} is damaged: it {what}. Archive it again "
            + "from the server.");
    }

    /// <summary>
    /// Up to where the given ancestor's WAL leads to this timeline, or null if this one does not come from it. A recovery may have
    /// followed a later timeline and stopped before it forked off: the history then lists both, and the smaller LSN holds.
    /// </summary>
    public Lsn? SwitchedFrom(uint ancestor)
    {
        Lsn? left = null;
        for (var i = Ancestors.Count - 1; i >= 0; i--)
        {
            if (left is null || Ancestors[i].SwitchedAt < left) left = Ancestors[i].SwitchedAt;
            if (Ancestors[i].Timeline == ancestor) return left;
        }

        return null;
    }

    /// <summary>
    /// The timeline that holds the record at <paramref name="lsn"/> on the way to this one (tliOfPointInHistory, timeline.c).
    /// </summary>
    public uint At(Lsn lsn)
    {
        var end = new Lsn(ulong.MaxValue);
        for (var i = Ancestors.Count; i > 0; i--)
        {
            var begin = Ancestors[i - 1].SwitchedAt;
            if (begin <= lsn && lsn < end) return i == Ancestors.Count ? Timeline : Ancestors[i].Timeline;
            end = begin;
        }

        return Ancestors.Count == 0 ? Timeline : Ancestors[0].Timeline;
    }

    /// <summary>
    /// The timelines whose segment may hold what recovery needs of the segment at <paramref name="segment"/>, best first: a segment in which
    /// a switch lies exists on both timelines, and the later one continues.
    /// </summary>
    public IReadOnlyList<uint> Candidates(Lsn segment, int segmentSize)
    {
        var candidates = new List<uint>();
        for (var i = Ancestors.Count; i >= 0; i--)
        {
            var begin = i == 0 ? default : Ancestors[i - 1].SwitchedAt;
            var timeline = i == Ancestors.Count ? Timeline : Ancestors[i].Timeline;
            var isOver = SwitchedFrom(timeline) is { } end && end <= segment;
            if (begin.Value < segment.Value + (ulong)segmentSize && !isOver) candidates.Add(timeline);
        }

        return candidates;
    }
}
