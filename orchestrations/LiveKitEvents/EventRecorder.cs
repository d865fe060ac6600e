using FunctionsBackup.Components.LiveKit.Journal;
using FunctionsBackup.Orchestrations.Site;

namespace FunctionsBackup.Orchestrations.LiveKitEvents;

/// <summary>
/// Keeps the events of LiveKit's webhooks. Who sends one is answered when it is durable, so that what was not kept is sent again; what comes within a
/// second goes into one object. Safe for concurrent use.
/// </summary>
public sealed class EventRecorder(BackupSite site)
{
    /// <summary>How long events are gathered: LiveKit gives up on an answer after several seconds.</summary>
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(500);

    /// <summary>Events that wait; more are refused, and sent again later.</summary>
    private const int MaximumWaiting = 10_000;

    /// <summary>Ids that are remembered, so that what is sent twice is kept once; readers look again.</summary>
    private const int MaximumKnown = 20_000;

    private readonly Lock _gate = new();
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);
    private readonly Queue<string> _order = [];
    private List<JournalEvent> _waiting = [];
    private Task _writing = Task.CompletedTask;
    private Task? _next;

    /// <summary>Keeps an event.</summary>
    /// <returns>Once it is durable.</returns>
    public async Task<EventOutcome> AddAsync(JournalEvent item, CancellationToken cancellationToken)
    {
        Task batch;
        lock (_gate)
        {
            if (_known.Contains(item.Id)) return EventOutcome.Duplicate;
            if (_waiting.Count >= MaximumWaiting) return EventOutcome.Busy;
            _waiting.Add(item);
            batch = _next ??= _writing = WriteAsync(_writing);
        }

        await batch.WaitAsync(cancellationToken);
        return EventOutcome.Kept;
    }

    private async Task WriteAsync(Task before)
    {
        await Task.Delay(Gathering, site.Time);
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        List<JournalEvent> events;
        lock (_gate)
        {
            (events, _waiting, _next) = (_waiting, [], null);
        }

        events = [.. events.DistinctBy(e => e.Id)];
        await using var lease = await site.Repositories.RentRecordsAsync(CancellationToken.None, appends: true);
        await new LiveKitJournal(lease.Repository).AddAsync(events, site.Time.GetUtcNow(), CancellationToken.None);
        lock (_gate)
        {
            foreach (var item in events)
                if (_known.Add(item.Id)) _order.Enqueue(item.Id);
            while (_order.Count > MaximumKnown) _known.Remove(_order.Dequeue());
        }
    }
}

/// <summary>What became of an event.</summary>
public enum EventOutcome
{
    /// <summary>It is durable.</summary>
    Kept,

    /// <summary>It had been kept before.</summary>
    Duplicate,

    /// <summary>Too many wait.</summary>
    Busy,
}
