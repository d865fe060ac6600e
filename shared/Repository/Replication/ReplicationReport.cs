namespace FunctionsBackup.Repository.Replication;

/// <summary>How a pass of replication works.</summary>
public sealed record ReplicationOptions
{
    /// <summary>Objects in flight, and in memory: a pack has up to 24 MiB.</summary>
    public int Parallelism { get; init; } = 2;

    /// <summary>Whether a place that holds nothing may become a replica: not a folder whose disk may only not be mounted.</summary>
    public bool MayBegin { get; init; } = true;

    /// <summary>
    /// Names of the WAL objects that no recovery point of the given repository needs; null: WAL that the primary removed stays on replicas.
    /// </summary>
    public Func<BackupRepository, CancellationToken, IAsyncEnumerable<string>>? ObsoleteStreams { get; init; }
}

/// <summary>How far a pass is.</summary>
public readonly record struct ReplicationProgress(long ObjectsDone, long ObjectsTotal, long BytesDone, long BytesTotal);

/// <summary>An object that is not what was written.</summary>
/// <param name="Name">Which.</param>
/// <param name="Problem">What is wrong with it, as half a sentence.</param>
public sealed record BadObject(string Name, string Problem);

/// <summary>What a pass of replication did and found.</summary>
public sealed record ReplicationReport
{
    public long CopiedObjects { get; init; }

    public long CopiedBytes { get; init; }

    /// <summary>Objects that the primary had removed on purpose, removed here too.</summary>
    public long RemovedObjects { get; init; }

    /// <summary>Objects of the primary that are not what was written: they were not copied.</summary>
    public IReadOnlyList<BadObject> Damaged { get; init; } = [];

    /// <summary>Recovery points that are only here, and that nobody removed from the primary: it lost them.</summary>
    public IReadOnlyList<string> OnlyOnReplica { get; init; } = [];

    /// <summary>What could not be done, one sentence each.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>That the replica does not permit to delete, which may be on purpose; null: it did, or was not asked to.</summary>
    public string? Refusal { get; init; }
}

/// <summary>The two stores are not primary and replica of one repository, and nothing was done. One sentence, with the mend.</summary>
public sealed class ReplicaRefusedException(string message) : RepositoryException(message);
