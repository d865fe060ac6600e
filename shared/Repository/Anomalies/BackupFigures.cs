using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Repository.Anomalies;

/// <summary>What the check knows of one backup. Bytes and counts.</summary>
/// <param name="Files">Files that it holds.</param>
/// <param name="LogicalBytes">Bytes that a restore would write.</param>
/// <param name="NewBytes">Of these, bytes that the repository did not have yet.</param>
/// <param name="StoredBytes">What they take in the repository, compressed.</param>
public sealed record BackupFigures(long Files, long LogicalBytes, long NewBytes, long StoredBytes)
{
    public static BackupFigures Of(Snapshot snapshot) => new(
        snapshot.Statistics.Files, snapshot.Statistics.LogicalBytes, snapshot.Statistics.NewBytes, snapshot.Statistics.StoredBytes);

    /// <summary>The share that is new, 0 to 1.</summary>
    public double NewShare => LogicalBytes > 0 ? Math.Min(1, (double)NewBytes / LogicalBytes) : 0;

    /// <summary>Stored to new bytes: near 1 where nothing can be compressed.</summary>
    public double StoredShare => NewBytes > 0 ? Math.Min(1, (double)StoredBytes / NewBytes) : 0;
}
