using System.Globalization;
using FunctionsBackup.SelfHosting.Engine.Payloads;
using Microsoft.Data.Sqlite;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.SelfHosting.Engine.Storage;

/// <summary>A row of the table of instances.</summary>
internal sealed record InstanceRow(
    long Key, string InstanceId, string Name, string? Version, OrchestrationRuntimeStatus Status, DateTimeOffset Created,
    DateTimeOffset Updated, string? Input, string? Output, string? CustomStatus, string? Failure, string? Tags, long? ParentKey,
    long? ParentTask)
{
    public const string Columns =
        "key, instance_id, name, version, status, created, updated, input, output, custom_status, failure, tags, parent_key, parent_task";

    public bool HasEnded => HasEndedIn(Status);

    public static bool HasEndedIn(OrchestrationRuntimeStatus status) => status is OrchestrationRuntimeStatus.Completed
        or OrchestrationRuntimeStatus.Failed or OrchestrationRuntimeStatus.Terminated or OrchestrationRuntimeStatus.Canceled;

    public static InstanceRow Read(SqliteDataReader row) => new(
        row.GetInt64(0), row.GetString(1), row.GetString(2), Text(row, 3), (OrchestrationRuntimeStatus)row.GetInt32(4), Time(row, 5),
        Time(row, 6), Text(row, 7), Text(row, 8), Text(row, 9), Text(row, 10), Text(row, 11), Number(row, 12), Number(row, 13));

    /// <summary>In place of a row that is gone.</summary>
    public static InstanceRow Removed(long key) => new(
        key, string.Empty, string.Empty, null, OrchestrationRuntimeStatus.Terminated, default, default, null, null, null, null, null,
        null, null);

    public OrchestrationMetadata ToMetadata(bool withPayloads) => new(Name, InstanceId)
    {
        RuntimeStatus = Status,
        CreatedAt = Created,
        LastUpdatedAt = Updated,
        HasPayloads = withPayloads,
        SerializedInput = withPayloads ? Input : null,
        SerializedOutput = withPayloads ? Output : null,
        SerializedCustomStatus = withPayloads ? CustomStatus : null,
        Tags = Payload.Deserialize<Dictionary<string, string>>(Tags) ?? [],
        FailureDetails = Failure is null || !withPayloads ? null : FailureData.Parse(Failure).ToDetails(),
    };

    internal static string? Text(SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    internal static long? Number(SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetInt64(column);

    internal static DateTimeOffset Time(SqliteDataReader row, int column) => new(row.GetInt64(column), TimeSpan.Zero);

    internal static string Instant(DateTimeOffset time) => time.UtcDateTime.ToString("O", CultureInfo.InvariantCulture);

    internal static DateTimeOffset ParseInstant(string text) =>
        DateTimeOffset.ParseExact(text, "O", CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind);
}
