using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Components.Files.Subjects;

/// <summary>What a recovery point holds of a data subject.</summary>
/// <param name="SnapshotId">Which.</param>
/// <param name="Files">Files that are sealed with the subject's keys.</param>
/// <param name="Bytes">Their bytes.</param>
/// <param name="Open">Files that are the subject's by the patterns, and not sealed: erasing the key does not reach them.</param>
public sealed record SubjectHoldings(string SnapshotId, long Files, long Bytes, long Open);

/// <summary>Looks through catalogs for the files of a data subject.</summary>
public static class SubjectScan
{
    /// <param name="repository">Open, with its index.</param>
    /// <param name="snapshot">Which recovery point.</param>
    /// <param name="subject">The name.</param>
    /// <param name="patterns">Of the component, as it is configured now.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="DamageException">The catalog is damaged, so that nobody knows.</exception>
    public static async ValueTask<SubjectHoldings> RunAsync(
        BackupRepository repository, Snapshot snapshot, string subject, IReadOnlyList<string> patterns, CancellationToken cancellationToken)
    {
        var pseudonym = repository.Subjects.PseudonymOf(subject);
        var parsed = patterns.Select(SubjectPattern.Parse).ToList();
        var holdings = new SubjectHoldings(snapshot.Id, 0, 0, 0);
        await foreach (var entry in repository.ReadCatalogAsync(snapshot, cancellationToken).ConfigureAwait(false))
        {
            if (entry.Content is not { } content) continue;
            if (entry.Subject is { } its)
            {
                if (its.Pseudonym == pseudonym) holdings = holdings with { Files = holdings.Files + 1, Bytes = holdings.Bytes + content.Size };
            }
            else if (parsed.Count > 0 && SubjectTags.SubjectOf(parsed, entry.Path.Span) == subject)
            {
                holdings = holdings with { Open = holdings.Open + 1 };
            }
        }

        return holdings;
    }
}
