using FunctionsBackup.Components.PostgreSql;
using FunctionsBackup.Components.PostgreSql.Wal.Receiving;

namespace FunctionsBackup.Orchestrations.WalArchiving;

/// <summary>
/// Measures the actual RPO: how long there has been WAL on the server that the archive has not. Remembers when the server's end was where,
/// to the second; the loss of the server would cost what came after the oldest of those ends that is not archived. Not for concurrent use.
/// </summary>
internal sealed class RpoMeter
{
    private static readonly TimeSpan Resolution = TimeSpan.FromSeconds(1);
    private const int MaximumMarks = 10_000;

    private readonly LinkedList<(DateTimeOffset At, Lsn End)> _unarchived = new();

    /// <summary>Since when something is not archived; null if all is.</summary>
    public DateTimeOffset? UnarchivedSince => _unarchived.First?.Value.At;

    /// <summary>Goes on from an earlier measurement.</summary>
    public void Resume(DateTimeOffset since, Lsn end) => _unarchived.AddFirst((since, end));

    public void Note(WalReceiverStatus status, DateTimeOffset now)
    {
        while (_unarchived.First is { } first && first.Value.End <= status.Archived) _unarchived.RemoveFirst();
        if (status.ServerEnd <= status.Archived) return;
        if (_unarchived.Last is { } last)
        {
            if (last.Value.End >= status.ServerEnd) return;
            // WAL of the same second counts as if it had come with the first of it: never less than the truth.
            if (now - last.Value.At < Resolution || _unarchived.Count >= MaximumMarks)
            {
                last.Value = (last.Value.At, status.ServerEnd);
                return;
            }
        }

        _unarchived.AddLast((now, status.ServerEnd));
    }
}
