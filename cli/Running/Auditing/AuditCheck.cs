using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Audit;

namespace FunctionsBackup.Cli.Running.Auditing;

/// <summary>Verifies the log with everything that is known here: what this machine has seen, what recovery points say, what was kept.</summary>
internal static class AuditCheck
{
    public static async Task<AuditReport> RunAsync(
        CommandContext context, BackupRepository repository, IReadOnlyList<KnownHead> kept, Func<AuditSegment, ValueTask>? onSegment,
        CancellationToken cancellationToken)
    {
        List<KnownHead> known = [.. kept, .. context.Site.Audit.KnownHeads(repository.Id).Select(h => new KnownHead(h, "this machine"))];
        await foreach (var id in repository.Points.ListIdsAsync(cancellationToken))
        {
            try
            {
                // Not those of a host that only writes: it could claim heads that never were.
                if (await repository.Points.FindAsync(id, cancellationToken) is { Audit: { } heads, Writer: null })
                    known.AddRange(heads.Where(h => h is { IsValid: true }).Select(h => new KnownHead(h, $"points/{id}")));
            }
            catch (DamageException)
            {
                continue; // 'backup verify' names it
            }
        }

        return await new AuditVerifier(repository).RunAsync(known, onSegment, cancellationToken);
    }

    /// <summary>The result in one sentence.</summary>
    public static string Verdict(AuditReport report) => report.BreakCount == 0
        ? $"{Human.Count(report.Entries, "entry", "entries")} in {Human.Count(report.Segments, "segment", "segments")} of "
            + $"{Human.Count(report.Chains.Count, "writer", "writers")}: every link holds."
        : $"The first broken link is {report.Breaks[0].ObjectName} ({Human.Count(report.BreakCount, "broken link", "broken links")} in all).";
}
