using System.Text.Json;
using FunctionsBackup.Components.Files;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Runs;

namespace FunctionsBackup.Orchestrations.Backup;

/// <summary>The plan as the run keeps it in the repository, for the units.</summary>
internal sealed record StoredPlan
{
    /// <summary>Components of files, divided.</summary>
    public IReadOnlyList<FilesPlan> Files { get; init; } = [];

    /// <summary>Read everything.</summary>
    public bool Full { get; init; }

    /// <summary>What the orchestration was told.</summary>
    public required BackupPlan Summary { get; init; }

    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this);

    /// <exception cref="RepositoryException">Another version wrote it.</exception>
    public static StoredPlan Read(RunPlan run)
    {
        try
        {
            return JsonSerializer.Deserialize<StoredPlan>(run.Plan) ?? throw new JsonException("It is empty.");
        }
        catch (JsonException e)
        {
            throw new RepositoryException($"The plan of run {run.Token.RunId} was written by another version; start the backup again.", e);
        }
    }

    /// <summary>The name of a unit: sorts in catalog order.</summary>
    public static string UnitName(string component, int index) => $"{component}.{index + 1:0000}";

    /// <summary>The plan that a unit belongs to, and which of its stretches it is.</summary>
    public (FilesPlan Plan, int Index) FindFiles(string component, string unit)
    {
        var plan = Files.FirstOrDefault(f => f.Component == component);
        var index = plan is null ? -1 : Enumerable.Range(0, plan.Units.Count).FirstOrDefault(i => UnitName(component, i) == unit, -1);
        return index >= 0 ? (plan!, index) : throw new RepositoryException($"The run has no unit {unit}; start the backup again.");
    }
}
