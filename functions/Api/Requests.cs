namespace FunctionsBackup.Functions.Api;

/// <summary>Body of <c>POST /backups</c>; all may be left out.</summary>
public sealed record StartBackup
{
    /// <summary>Names from the configuration; empty: all that are configured.</summary>
    public IReadOnlyList<string> Components { get; init; } = [];

    /// <summary>Read everything, whatever earlier recovery points hold.</summary>
    public bool Full { get; init; }

    /// <summary><c>none</c>, <c>quick</c>, <c>sample:N</c> or <c>full</c>: how it is verified afterwards.</summary>
    public string Verify { get; init; } = "quick";
}

/// <summary>Body of <c>POST /restores</c>.</summary>
public sealed record StartRestore
{
    public required string Component { get; init; }

    /// <summary>
    /// Absolute path of a folder on the server; <c>bucket:NAME/PREFIX</c>; <c>server</c>, the configured one of livekit; or <c>kubernetes</c>, the
    /// configured cluster of configuration.
    /// </summary>
    public required string Target { get; init; }

    /// <summary>A recovery point's id, or <c>latest</c>.</summary>
    public string Point { get; init; } = "latest";

    /// <summary>The last recovery point from before what is suspicious; goes with <c>latest</c>.</summary>
    public bool BeforeAnomaly { get; init; }

    /// <summary>Only say what would be done.</summary>
    public bool PlanOnly { get; init; }

    public DateTimeOffset? ToTime { get; init; }

    public string? ToLsn { get; init; }

    public string? ToName { get; init; }

    public long? ToXid { get; init; }

    public bool ToBackup { get; init; }

    public bool Inclusive { get; init; }

    public bool Exclusive { get; init; }

    public string Timeline { get; init; } = "latest";

    public string TargetAction { get; init; } = "promote";

    public bool Delta { get; init; }

    public bool DeleteExtra { get; init; }

    public bool Overwrite { get; init; }

    public bool Staging { get; init; }

    /// <summary>Logical backups of postgres: names of databases, <c>OLD</c> or <c>OLD=NEW</c>.</summary>
    public IReadOnlyList<string> DatabaseNames { get; init; } = [];

    /// <summary>Logical backups of postgres: schemas.</summary>
    public IReadOnlyList<string> Schemas { get; init; } = [];

    /// <summary>Logical backups of postgres: tables.</summary>
    public IReadOnlyList<string> Tables { get; init; } = [];

    /// <summary>Logical backups of postgres: drop first what is there.</summary>
    public bool Clean { get; init; }

    /// <summary>Redis: numbers of databases; empty: all.</summary>
    public IReadOnlyList<int> Databases { get; init; } = [];

    /// <summary>Redis: keys that match this pattern.</summary>
    public string? Match { get; init; }

    /// <summary>Redis: <c>OLD=NEW</c>.</summary>
    public string? RenamePrefix { get; init; }

    /// <summary>Into a server: also delete what it has and the recovery point has not.</summary>
    public bool Exact { get; init; }

    /// <summary>LiveKit: start recordings again that were going on.</summary>
    public bool RestartEgress { get; init; }

    public IReadOnlyList<string> Include { get; init; } = [];
}

/// <summary>Body of <c>POST /site-restores</c>: everything as of one moment.</summary>
public sealed record StartSiteRestore
{
    /// <summary>Absolute path of a folder on the server; each component gets a folder of its name in it.</summary>
    public required string Target { get; init; }

    /// <summary>The moment; left out: the newest of everything.</summary>
    public DateTimeOffset? ToTime { get; init; }

    /// <summary>Which components; empty: all that the repository has.</summary>
    public IReadOnlyList<string> Components { get; init; } = [];

    /// <summary>Pass over what is suspicious.</summary>
    public bool BeforeAnomaly { get; init; }

    public bool Overwrite { get; init; }

    public bool Delta { get; init; }
}

/// <summary>Body of <c>POST /verifications</c>; all may be left out.</summary>
public sealed record StartVerification
{
    /// <summary><c>quick</c>, <c>sample:N</c>, <c>full</c> or <c>restore</c>.</summary>
    public string Level { get; init; } = "sample:10";

    /// <summary>Recovery points; empty: the whole repository.</summary>
    public IReadOnlyList<string> RecoveryPoints { get; init; } = [];
}

/// <summary>Body of <c>POST …/{id}/{action}</c>; may be left out.</summary>
public sealed record Steer
{
    /// <summary>Why, for the record.</summary>
    public string? Reason { get; init; }
}

/// <summary>Body of <c>POST /recovery-points/{id}/accept</c> and <c>/reject</c>.</summary>
public sealed record DecidePoint
{
    /// <summary>Why, one line of at most 500 characters; it is kept with the decision.</summary>
    public required string Reason { get; init; }
}
