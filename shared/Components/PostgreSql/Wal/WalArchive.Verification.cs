using FunctionsBackup.Components.PostgreSql.Wal.Recovery;

namespace FunctionsBackup.Components.PostgreSql.Wal;

public sealed partial class WalArchive
{
    private const int MaximumProblems = 100;

    /// <summary>
    /// Checks that all the WAL that a base backup needs is there and whole, and that what follows it has no gap.
    /// </summary>
    /// <param name="backup">The base backup.</param>
    /// <param name="timeline">Which timeline to follow; null: the newest that comes from the backup's.</param>
    /// <param name="deep">Read, decrypt and decode every segment; otherwise chain what was noted of each.</param>
    /// <param name="cancellationToken">Stops.</param>
    public async ValueTask<WalVerification> VerifyAsync(
        PostgresBackupDetails backup, uint? timeline, bool deep, CancellationToken cancellationToken)
    {
        var size = backup.WalSegmentSize;
        var inventory = await LoadInventoryAsync(size, cancellationToken);
        var path = await FindPathAsync(inventory, backup, timeline, cancellationToken);

        var walk = new WalWalk(this, inventory, path, size, deep);
        var recovery = new RecoveryWalk(walk, backup, path);
        await recovery.RunAsync(null, cancellationToken);
        var window = recovery.Window with { Gap = DescribeGap(inventory, path, walk, size) };
        var problems = new List<WalProblem>();
        var breaks = window.EndLsn < window.BeginLsn;
        if (breaks || window.Gap is not null)
        {
            var missing = WalSegmentName.Containing(path.At(walk.EndedAt), walk.EndedAt, size);
            var what = window.Gap ?? walk.Problem ?? $"WAL segment {missing} is not archived.";
            if (breaks) what = $"The base backup needs it: {what}";
            problems.Add(new WalProblem(walk.Damage?.ObjectName, window.EndLsn, what, breaks));
        }

        // What lies behind a gap cannot be reached from this backup, but its own damage concerns the next one.
        var at = walk.EndedAt;
        while (window.Gap is not null && problems.Count < MaximumProblems)
        {
            if (inventory.FirstAtOrAfter(path, at + (ulong)size) is not { } next) break;
            var rest = new WalWalk(this, inventory, path, size, deep);
            await foreach (var step in rest.RunAsync(next, cancellationToken)) at = step.Start;
            at = rest.EndedAt > next ? rest.EndedAt : next;
            if (DescribeGap(inventory, path, rest, size) is { } gap)
                problems.Add(new WalProblem(rest.Damage?.ObjectName, rest.End ?? next, gap, false));
        }

        return new WalVerification(window, problems);
    }
}
