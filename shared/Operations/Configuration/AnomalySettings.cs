namespace FunctionsBackup.Operations.Configuration;

/// <summary>How backups are compared with those before them.</summary>
public sealed record AnomalySettings
{
    public bool Enabled { get; init; }

    /// <summary>Components that are not compared.</summary>
    public IReadOnlyList<string> Ignore { get; init; } = [];

    public int MinimumHistory { get; init; }

    public int Deviations { get; init; }

    /// <summary>MiB.</summary>
    public int MinimumSize { get; init; }

    public int MinimumFiles { get; init; }

    public int ChangedPercent { get; init; }

    public int NewPercent { get; init; }

    public int StoredPercent { get; init; }

    public int DeletedPercent { get; init; }

    public int ShrunkPercent { get; init; }

    internal static AnomalySettings From(Func<string, object?> value)
    {
        return new AnomalySettings
        {
            Enabled = value("anomalies.enabled") is true,
            Ignore = value("anomalies.ignore") as IReadOnlyList<string> ?? [],
            MinimumHistory = Number("minimum_history"),
            Deviations = Number("deviations"),
            MinimumSize = Number("minimum_size"),
            MinimumFiles = Number("minimum_files"),
            ChangedPercent = Number("changed_percent"),
            NewPercent = Number("new_percent"),
            StoredPercent = Number("stored_percent"),
            DeletedPercent = Number("deleted_percent"),
            ShrunkPercent = Number("shrunk_percent"),
        };

        int Number(string name) => (int)value($"anomalies.{name}")!;
    }
}
