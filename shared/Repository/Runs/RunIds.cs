using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using FunctionsBackup.Repository.Snapshots;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Runs;

/// <summary>Names that follow from a run's id, so that doing something again finds what was done.</summary>
public static class RunIds
{
    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");

    /// <summary>A run's id: <c>20261125T221530Z-5ca60a03</c>.</summary>
    /// <param name="time">When it began.</param>
    /// <param name="random">Random: two runs never have the same.</param>
    public static string Create(DateTimeOffset time, uint random) =>
        string.Create(CultureInfo.InvariantCulture, $"{time.UtcDateTime:yyyyMMdd'T'HHmmss'Z'}-{random:x8}");

    public static bool IsRunId(string id) =>
        id.Length == 25 && id[8] == 'T' && id[15] == 'Z' && id[16] == '-'
        && id.AsSpan(0, 8).IndexOfAnyExceptInRange('0', '9') < 0 && id.AsSpan(9, 6).IndexOfAnyExceptInRange('0', '9') < 0
        && !id.AsSpan(17).ContainsAnyExcept(HexDigits);

    /// <summary>The snapshot that a run makes of a component: of the usual form, and always the same.</summary>
    public static string SnapshotId(RunToken token, string component)
    {
        var digest = SHA256.HashData(Encoding.UTF8.GetBytes($"{token.RunId}/{component}"));
        return SnapshotStore.NewId(token.StartedAt, component, digest.AsSpan(0, 2));
    }

    internal static string Prefix(string runId) =>
        IsRunId(runId) ? $"{BackupRuns.Prefix}{runId}/" : throw new ArgumentException($"'{runId}' is not the id of a run.", nameof(runId));

    internal static string Part(string runId, string unit) =>
        ObjectName.IsSegment(unit) && unit.Length <= 100 && unit != BackupRuns.PlanName
            ? Prefix(runId) + unit
            : throw new ArgumentException($"'{unit}' cannot name a unit.", nameof(unit));
}
