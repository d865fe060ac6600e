using System.Text.Json.Nodes;
using FunctionsBackup.Components.Configuration.Diffs;
using FunctionsBackup.Components.Files;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Runs;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Orchestrations.Backup;

/// <summary>The details of a snapshot of configuration: those of its files, and how it differs from the one before.</summary>
internal static class ConfigurationDetails
{
    /// <summary>Compares before the commit, so that the record can say it. That nothing can be compared does not stop the backup.</summary>
    internal static async ValueTask<Func<IReadOnlyList<RunPart>, JsonObject?>> MergeAsync(
        BackupRepository repository, string runId, IReadOnlyList<string> units, CancellationToken cancellationToken)
    {
        var diff = await CompareAsync(repository, runId, units, cancellationToken);
        return parts =>
        {
            var details = FilesPlan.MergeDetails(parts);
            if (details is not null && diff is not null) details["diff"] = diff.ToJson();
            return details;
        };
    }

    private static async ValueTask<ConfigurationChanges?> CompareAsync(
        BackupRepository repository, string runId, IReadOnlyList<string> units, CancellationToken cancellationToken)
    {
        if (repository.IsWriteOnly) return null;
        try
        {
            if (await repository.FindParentAsync("configuration", _ => true, cancellationToken) is not { } before) return null;
            var runs = new BackupRuns(repository);
            var now = AsyncEnumerable.Empty<DiffItem>();
            foreach (var unit in units)
            {
                if (await runs.FindPartAsync(runId, unit, cancellationToken) is not { } part) return null; // the commit says so
                now = now.Concat(DiffSides.OfSnapshot(repository, Piece(part), cancellationToken));
            }

            return await ConfigurationDiff.CompareAsync(DiffSides.OfSnapshot(repository, before, cancellationToken), now, before.Id, cancellationToken);
        }
        catch (RepositoryException)
        {
            return null; // the one before is damaged, or was removed: verification tells of it
        }
    }

    /// <summary>A part as a snapshot, to read its piece of the catalog.</summary>
    private static Snapshot Piece(RunPart part) => new()
    {
        Id = part.RunId, Component = part.Component, Kind = part.Kind, StartedAt = part.StartedAt, CompletedAt = part.CompletedAt, Host = part.Host,
        WrittenBy = BackupRepository.ProductVersion, Catalog = part.Catalog, Statistics = part.Statistics,
    };
}
