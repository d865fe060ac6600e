using System.Text.Json;
using FunctionsBackup.Components.LiveKit.Restore;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Components.LiveKit.Reconciliation;

/// <summary>The recordings that a snapshot of LiveKit knows of.</summary>
public static class EgressCatalogue
{
    /// <exception cref="DamageException">A part of the snapshot cannot be read.</exception>
    public static async ValueTask<IReadOnlyList<Recording>> ReadAsync(BackupRepository repository, Snapshot snapshot, CancellationToken cancellationToken)
    {
        var inventory = await LiveKitInventory.ReadAsync(repository, snapshot, cancellationToken).ConfigureAwait(false);
        return [.. inventory.Of(LiveKitKind.Egress).SelectMany(e => Recording.Of(JsonSerializer.SerializeToElement(e.Json)))];
    }
}
