using System.Text.Json;
using FunctionsBackup.Orchestrations.Backup;
using FunctionsBackup.Orchestrations.Instances;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Orchestrations.Standing;

/// <summary>An instance that has not ended: what it is at, and how far it is.</summary>
public sealed record RunningWork
{
    private static readonly (string Prefix, string Kind)[] Kinds =
    [
        (InstanceIds.Backup, "backup"), (InstanceIds.WalArchiving, "wal_archiving"), (InstanceIds.Verification, "verification"),
        (InstanceIds.Retention, "retention"), (InstanceIds.RestoreTest, "restore_test"), (InstanceIds.Restore, "restore"),
        (InstanceIds.SiteRestore, "site_restore"),
    ];

    public required string Instance { get; init; }

    /// <summary><c>backup</c>, <c>wal_archiving</c>, <c>verification</c>, <c>retention</c>, <c>restore_test</c>, <c>restore</c>, or the
    /// orchestration's name.</summary>
    public required string Kind { get; init; }

    /// <summary>What it works on; empty: the repository as a whole.</summary>
    public IReadOnlyList<string> Components { get; init; } = [];

    /// <summary><c>pending</c>, <c>running</c> or <c>suspended</c>.</summary>
    public required string Status { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>What it is doing, one word; null: it has not said.</summary>
    public string? Phase { get; init; }

    /// <summary>Units, steps or recovery points that are done.</summary>
    public int Done { get; init; }

    /// <summary>In all; 0: not counted.</summary>
    public int Total { get; init; }

    public long BytesDone { get; init; }

    /// <summary>0: not known.</summary>
    public long BytesTotal { get; init; }

    public DateTimeOffset? EstimatedEnd { get; init; }

    /// <summary>All that has not ended, oldest first.</summary>
    public static async Task<IReadOnlyList<RunningWork>> ListAsync(DurableTaskClient client, CancellationToken cancellationToken) =>
        [.. (await Instances.Instance.ListLiveAsync(client, string.Empty, cancellationToken)).Select(Of)];

    private static RunningWork Of(OrchestrationMetadata instance)
    {
        var progress = Read(instance.ReadCustomStatusAs<AnyProgress>);
        return new RunningWork
        {
            Instance = instance.InstanceId,
            Kind = Kinds.FirstOrDefault(k => instance.InstanceId.StartsWith(k.Prefix, StringComparison.Ordinal)).Kind ?? instance.Name,
            Components = ComponentsOf(instance),
            Status = JsonNamingPolicy.SnakeCaseLower.ConvertName(instance.RuntimeStatus.ToString()),
            CreatedAt = instance.CreatedAt,
            Phase = progress?.Phase,
            Done = Math.Max(progress?.UnitsDone ?? 0, Math.Max(progress?.StepsDone ?? 0, progress?.Done ?? 0)),
            Total = Math.Max(progress?.UnitsTotal ?? 0, Math.Max(progress?.StepsTotal ?? 0, progress?.Total ?? 0)),
            BytesDone = progress?.BytesDone ?? 0,
            BytesTotal = progress?.BytesTotal ?? 0,
            EstimatedEnd = progress?.EstimatedEnd,
        };
    }

    private static IReadOnlyList<string> ComponentsOf(OrchestrationMetadata instance)
    {
        if (instance.InstanceId.StartsWith(InstanceIds.Backup, StringComparison.Ordinal) && BackupClaims.Of(instance) is { } claimed) return claimed;
        var request = Read(instance.ReadInputAs<AnyRequest>);
        return request?.Component is { } one ? [one] : request?.Components ?? [];
    }

    /// <summary>What another version wrote is not known.</summary>
    private static T? Read<T>(Func<T?> read)
        where T : class
    {
        try
        {
            return read();
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>What the inputs of orchestrations may have.</summary>
    private sealed record AnyRequest(string? Component = null, IReadOnlyList<string>? Components = null);

    /// <summary>What their custom statuses may have.</summary>
    private sealed record AnyProgress(
        string? Phase = null, int UnitsDone = 0, int UnitsTotal = 0, int StepsDone = 0, int StepsTotal = 0, int Done = 0, int Total = 0,
        long BytesDone = 0, long BytesTotal = 0, DateTimeOffset? EstimatedEnd = null);
}
