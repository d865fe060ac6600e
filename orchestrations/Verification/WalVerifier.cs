using FunctionsBackup.Components.PostgreSql;
using FunctionsBackup.Components.PostgreSql.Logical;
using FunctionsBackup.Components.PostgreSql.Wal;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Orchestrations.Verification;

/// <summary>Something wrong with the WAL behind a base backup.</summary>
/// <param name="SnapshotId">The base backup.</param>
/// <param name="Sentence">What is wrong.</param>
/// <param name="BreaksBackup">The base backup itself cannot be restored; otherwise only later points cannot be reached from it.</param>
public sealed record WalFinding(string SnapshotId, string Sentence, bool BreaksBackup);

/// <summary>Checks the WAL behind base backups: by what was noted of it when it was archived, or by reading all of it.</summary>
public static class WalVerifier
{
    public static async ValueTask<IReadOnlyList<WalFinding>> RunAsync(
        BackupRepository repository, IReadOnlyList<Snapshot> points, bool deep, CancellationToken cancellationToken)
    {
        var findings = new List<WalFinding>();
        // Of each cluster, how far the WAL was followed without a problem: a later base backup within that needs no walk of its own.
        var sound = new Dictionary<(string System, uint Timeline), Lsn>();
        foreach (var point in points.Where(p => p.Component == "postgres" && LogicalBackupDetails.FromJson(p.Details) is null))
        {
            var details = PostgresBackupDetails.FromJson(point.Details);
            if (sound.TryGetValue((details.SystemIdentifier, details.Timeline), out var end)
                && Lsn.Parse(details.StopLsn).Value <= end.Value) continue;
            var archive = new WalArchive(repository, details.SystemIdentifier);
            var verification = await archive.VerifyAsync(details, null, deep, cancellationToken);
            foreach (var problem in verification.Problems) findings.Add(new WalFinding(point.Id, problem.Message, problem.BreaksBackup));
            if (verification.IsSound && verification.Window.Timeline == details.Timeline)
                sound[(details.SystemIdentifier, details.Timeline)] = verification.Window.EndLsn;
        }

        return findings;
    }
}
