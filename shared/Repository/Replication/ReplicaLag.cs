using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Repository.Packing;
using FunctionsBackup.Repository.Runs;
using FunctionsBackup.Repository.Snapshots;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Replication;

/// <summary>How far a replica is behind its primary, by the listings of both. Needs no key.</summary>
public sealed record ReplicaLag
{
    /// <summary>Objects that the replica lacks: keys, packs, WAL, records of recovery points, pins.</summary>
    public long MissingObjects { get; init; }

    public long MissingBytes { get; init; }

    /// <summary>Recovery points of components that the replica lacks.</summary>
    public long MissingSnapshots { get; init; }

    /// <summary>
    /// When the oldest recovery point, WAL segment or part of a journal that the replica lacks was complete, by the primary's clock; null: it has all.
    /// </summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Recovery points that are only on the replica: the primary lost them, or their removal has not been followed yet.</summary>
    public long OnlyOnReplica { get; init; }

    /// <summary>Objects that both have, with different sizes: one side is damaged.</summary>
    public IReadOnlyList<string> Differing { get; init; } = [];

    /// <summary>How long the replica has been behind; zero: it is not.</summary>
    public TimeSpan Age(DateTimeOffset now) => Since is { } since && since < now ? now - since : TimeSpan.Zero;

    /// <summary>Lists both stores side by side, in bounded memory.</summary>
    public static async ValueTask<ReplicaLag> MeasureAsync(IObjectStore primary, IObjectStore replica, CancellationToken cancellationToken)
    {
        var lag = new ReplicaLag();
        var differing = new List<string>();
        foreach (var prefix in (string[])
            [KeyObjects.Prefix, PackFormat.Prefix, .. ReplicatedObjects.Streams, RecoveryPointStore.Prefix, SnapshotStore.PinPrefix, SnapshotStore.Prefix])
        {
            var isSnapshot = prefix == SnapshotStore.Prefix;
            await foreach (var (one, other) in ReplicatedObjects.JoinAsync(primary, replica, prefix, cancellationToken).ConfigureAwait(false))
            {
                if (one is null)
                {
                    if (isSnapshot) lag = lag with { OnlyOnReplica = lag.OnlyOnReplica + 1 };
                }
                else if (other is null)
                {
                    if (!ObjectCheck.IsKnown(one.Name)) continue;
                    lag = lag with
                    {
                        MissingObjects = lag.MissingObjects + 1,
                        MissingBytes = lag.MissingBytes + one.Size,
                        MissingSnapshots = lag.MissingSnapshots + (isSnapshot ? 1 : 0),
                    };
                    if ((isSnapshot || ReplicatedObjects.Streams.Contains(prefix)) && (lag.Since is not { } since || one.LastModified < since))
                        lag = lag with { Since = one.LastModified };
                }
                else if (one.Size != other.Size && prefix != SnapshotStore.PinPrefix)
                {
                    differing.Add(one.Name);
                }
            }
        }

        return lag with { Differing = differing };
    }
}
