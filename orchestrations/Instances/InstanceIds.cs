using System.Globalization;

namespace FunctionsBackup.Orchestrations.Instances;

/// <summary>
/// Names of orchestration instances. A scheduled one is named by its policy and the time that it was due, so that it is started once, by
/// however many hosts and after whatever downtime: <c>backup-postgres-full-20261122T0200Z</c>. One on demand carries the time of its start
/// and four random hex digits: <c>backup-all-20261125T221530Z-5ca6</c>. All are lower-case, and legal in URLs and as names of objects.
/// </summary>
public static class InstanceIds
{
    public const string Backup = "backup-";
    public const string WalArchiving = "wal-";
    public const string Verification = "verify-";
    public const string Retention = "retention-";
    public const string Replication = "replicate-";
    public const string Restore = "restore-";
    public const string RestoreTest = "restoretest-";
    public const string SiteRestore = "siterestore-";

    /// <summary>The id of a scheduled start.</summary>
    /// <param name="prefix">One of the prefixes above.</param>
    /// <param name="subject">Policy and kind: <c>postgres-full</c>, <c>logs-incremental</c>; or <c>all</c>.</param>
    /// <param name="dueAt">When it was due; seconds appear only where a schedule has them.</param>
    public static string Scheduled(string prefix, string subject, DateTimeOffset dueAt)
    {
        var due = dueAt.UtcDateTime;
        var form = due.Second == 0 ? "yyyyMMdd'T'HHmm'Z'" : "yyyyMMdd'T'HHmmss'Z'";
        return prefix + Word(subject) + "-" + due.ToString(form, CultureInfo.InvariantCulture);
    }

    /// <summary>The id of a start on demand.</summary>
    /// <param name="prefix">One of the prefixes above.</param>
    /// <param name="subject">A component, <c>all</c>, or <c>some</c>.</param>
    /// <param name="now">When it is started.</param>
    /// <param name="random">For the last four digits.</param>
    public static string OnDemand(string prefix, string subject, DateTimeOffset now, Random random) => string.Create(
        CultureInfo.InvariantCulture, $"{prefix}{Word(subject)}-{now.UtcDateTime:yyyyMMdd'T'HHmmss'Z'}-{random.Next(0x10000):x4}");

    /// <summary>The id of the one instance that there is for a subject: <c>wal-postgres</c>.</summary>
    public static string Singleton(string prefix, string subject) => prefix + Word(subject);

    /// <summary>How several components are called in an id: the one, <c>all</c> of those configured, or <c>some</c>.</summary>
    public static string SubjectOf(IReadOnlyCollection<string> components, IReadOnlyCollection<string> configured) =>
        components.Count == configured.Count ? "all" : components.Count == 1 ? components.First() : "some";

    private static string Word(string subject) =>
        subject.Length is > 0 and <= 80 && subject.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')
            ? subject.ToLowerInvariant()
            : throw new ArgumentException($"'{subject}' cannot stand in an instance id: use letters, digits, '_' and '-'.", nameof(subject));
}
