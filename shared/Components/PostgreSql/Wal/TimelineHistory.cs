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

    /// <summary>Where the given ancestor was left, or null if this timeline does not come from it.</summary>
    public Lsn? SwitchedFrom(uint ancestor)
    {
        foreach (var fork in Ancestors)
            if (fork.Timeline == ancestor) return fork.SwitchedAt;
        return null;
    }

    /// <summary>The timeline that holds the record at <paramref name="lsn"/> on the way to this one.</summary>
    public uint At(Lsn lsn)
    {
        foreach (var fork in Ancestors)
            if (lsn < fork.SwitchedAt) return fork.Timeline;
        return Timeline;
    }

    /// <summary>
    /// The timelines whose segment may hold what recovery needs of <paramref name="segment"/> (its first byte .. its end), best first: a
    /// segment in which a switch lies exists on both timelines, and the later one continues.
    /// </summary>
    public IReadOnlyList<uint> Candidates(Lsn segment, int segmentSize)
    {
        var candidates = new List<uint>();
        var begin = default(Lsn);
        foreach (var (timeline, switchedAt) in Ancestors.Select(
            f => (f.Timeline, f.SwitchedAt)).Append((Timeline, new Lsn(ulong.MaxValue))))
        {
            // PostgreSQL looks for a segment on every timeline that begins in it or before it, and ends in it or after it.
            if (begin.Value < segment.Value + (ulong)segmentSize && switchedAt > segment) candidates.Add(timeline);
            begin = switchedAt;
        }

        candidates.Reverse();
        return candidates;
    }
}
