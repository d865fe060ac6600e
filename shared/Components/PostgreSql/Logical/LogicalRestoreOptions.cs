namespace FunctionsBackup.Components.PostgreSql.Logical;

/// <summary>What to restore, and where to.</summary>
/// <param name="ConnectionString">Of the server that it goes to.</param>
public sealed record LogicalRestoreOptions(string ConnectionString)
{
    /// <summary>Names, <c>OLD</c> or <c>OLD=NEW</c>; empty: all.</summary>
    public IReadOnlyList<string> Databases { get; init; } = [];

    /// <summary>Schemas; empty: all.</summary>
    public IReadOnlyList<string> Schemas { get; init; } = [];

    /// <summary>Tables, as <c>schema.table</c> or <c>table</c>: their definitions and rows alone; empty: all.</summary>
    public IReadOnlyList<string> Tables { get; init; } = [];

    /// <summary>Objects that are there and that the recovery point has are dropped first.</summary>
    public bool Clean { get; init; }

    /// <summary>Roles are made, where the server lacks them.</summary>
    public bool Globals { get; init; } = true;

    public int Parallelism { get; init; } = 2;

    /// <summary>Where client programs are, looked at first.</summary>
    public IReadOnlyList<string> ProgramDirectories { get; init; } = [];
}

/// <summary>What a restore did.</summary>
public sealed record LogicalRestoreReport
{
    public int Databases { get; init; }

    public long Tables { get; init; }

    public long Rows { get; init; }

    public long Bytes { get; init; }

    /// <summary>One sentence each.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];
}
