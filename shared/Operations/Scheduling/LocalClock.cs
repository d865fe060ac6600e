namespace FunctionsBackup.Operations.Scheduling;

/// <summary>
/// A zone's wall clock as a function of the instant. It is read in one direction only, from instant to local time, because that is always
/// defined; which instant a local time means is derived from it, so that daylight saving, half-hour shifts (Lord Howe) and changes of a
/// zone's standard offset (Samoa left out a day) are one case.
/// </summary>
internal sealed class LocalClock(TimeZoneInfo zone)
{
    /// <summary>More than the largest change of an offset that a zone has made (24 hours).</summary>
    private static readonly TimeSpan Around = TimeSpan.FromHours(36);

    /// <summary>Local time less UTC.</summary>
    public TimeSpan OffsetAt(DateTimeOffset instant) => zone.GetUtcOffset(instant);

    public DateTime At(DateTimeOffset instant) => instant.UtcDateTime + OffsetAt(instant);

    /// <summary>
    /// The latest local time that the clock has shown up to an instant, in whole seconds. It differs from <see cref="At"/> only after the
    /// clock was set back, until it has made that up.
    /// </summary>
    public DateTime LatestUpTo(DateTimeOffset instant)
    {
        var now = Floor(At(instant));
        if (Change(instant - Around, instant) is not { } change) return now;
        var before = Floor(change.UtcDateTime.AddTicks(-1) + OffsetAt(change.AddTicks(-1)));
        return before > now ? before : now;
    }

    /// <summary>The first instant at which the clock shows this local time or, where that was skipped, a later one.</summary>
    public DateTimeOffset FirstInstantOf(DateTime local)
    {
        var utc = Utc(local, TimeSpan.Zero);
        var early = OffsetAt(utc - Around);
        var late = OffsetAt(utc + Around);
        // Of two instants that the clock shows it at, the one with the larger offset is the earlier.
        foreach (var offset in early >= late ? [early, late] : new[] { late, early })
            if (Utc(local, offset) is var instant && OffsetAt(instant) == offset) return instant;
        return Change(utc - Around, utc + Around)
            ?? throw new InvalidOperationException($"The time zone {zone.Id} has no instant for the local time {local:O}.");
    }

    /// <summary>A change of the offset within (from, to], to the tick; null if the offset is the same at both ends.</summary>
    public DateTimeOffset? Change(DateTimeOffset from, DateTimeOffset to)
    {
        var offset = OffsetAt(from);
        if (OffsetAt(to) == offset) return null;
        var (low, high) = (from.UtcTicks, to.UtcTicks);
        while (high - low > 1)
        {
            var middle = low + ((high - low) / 2);
            if (OffsetAt(new DateTimeOffset(middle, TimeSpan.Zero)) == offset) low = middle;
            else high = middle;
        }

        return new DateTimeOffset(high, TimeSpan.Zero);
    }

    public static DateTimeOffset Utc(DateTime local, TimeSpan offset) => new(local.Ticks - offset.Ticks, TimeSpan.Zero);

    /// <summary>To the whole second.</summary>
    public static DateTime Floor(DateTime time) => new(time.Ticks - (time.Ticks % TimeSpan.TicksPerSecond));
}
