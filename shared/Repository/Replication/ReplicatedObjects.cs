using FunctionsBackup.Repository.Collection;
using FunctionsBackup.Repository.Runs;
using FunctionsBackup.Repository.Snapshots;
using FunctionsBackup.Repository.Witnesses;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Replication;

/// <summary>
/// What a replica holds of its primary. Not what says something about one copy (results of verification, what repair found lost), about
/// one site's speed, or about a run that is under way.
/// </summary>
internal static class ReplicatedObjects
{
    public const string Wal = "wal/";
    public const string Audit = "audit/";
    public const string Journals = "journals/";

    /// <summary>What is archived between recovery points, and needed by those before it: each object for itself.</summary>
    public static IReadOnlyList<string> Streams { get; } = [Wal, Journals];

    public static bool IsOfStream(string name) => Streams.Any(s => name.StartsWith(s, StringComparison.Ordinal));

    /// <summary>Small ones, that something may be said of only when all the rest is there.</summary>
    public static IReadOnlyList<string> Records =>
        [SnapshotStore.Prefix, RecoveryPointStore.Prefix, SnapshotStore.PinPrefix, WitnessStore.Prefix, CollectionMarks.Prefix, Audit];

    /// <summary>What two stores hold below a prefix, in the order of names, read side by side.</summary>
    /// <returns>Each name once, with what either store has under it.</returns>
    public static async IAsyncEnumerable<(ObjectInfo? One, ObjectInfo? Other)> JoinAsync(
        IObjectStore one, IObjectStore other, string prefix,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var left = one.ListAsync(prefix, cancellationToken).GetAsyncEnumerator(cancellationToken);
        await using var right = other.ListAsync(prefix, cancellationToken).GetAsyncEnumerator(cancellationToken);
        var (hasLeft, hasRight) = (await left.MoveNextAsync().ConfigureAwait(false), await right.MoveNextAsync().ConfigureAwait(false));
        while (hasLeft || hasRight)
        {
            var order = !hasLeft ? 1 : !hasRight ? -1 : string.CompareOrdinal(left.Current.Name, right.Current.Name);
            yield return (order <= 0 ? left.Current : null, order >= 0 ? right.Current : null);
            if (order <= 0) hasLeft = await left.MoveNextAsync().ConfigureAwait(false);
            if (order >= 0) hasRight = await right.MoveNextAsync().ConfigureAwait(false);
        }
    }

    /// <summary>What the other store lacks of the one, in the order of names.</summary>
    public static IAsyncEnumerable<ObjectInfo> MissingAsync(
        IObjectStore one, IObjectStore other, string prefix, CancellationToken cancellationToken) =>
        JoinAsync(one, other, prefix, cancellationToken).Where(p => p.One is not null && p.Other is null && ObjectCheck.IsKnown(p.One.Name))
            .Select(p => p.One!);
}
