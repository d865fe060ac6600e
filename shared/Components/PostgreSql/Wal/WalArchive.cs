#pragma warning disable CA1822, CA1065, CS9113 // contracts first; bodies follow
using FunctionsBackup.Repository;

namespace FunctionsBackup.Components.PostgreSql.Wal;

/// <summary>What <see cref="WalArchive.PushAsync"/> did.</summary>
public enum WalPushOutcome
{
    Archived,

    /// <summary>The same bytes are there under that name already.</summary>
    AlreadyArchived,
}

/// <summary>
/// The WAL of one cluster in the repository. Each segment is one sealed object, created if absent, so that archiving is idempotent and two
/// archivers cannot harm each other: <c>wal/SYSTEMID/TIMELINE/SEGMENT</c>, parts of an unfinished segment
/// <c>wal/SYSTEMID/TIMELINE/SEGMENT.BEGIN-END</c> (hex byte offsets), <c>wal/SYSTEMID/TIMELINE.history</c>.
/// </summary>
public sealed class WalArchive(BackupRepository repository, string systemIdentifier)
{
    /// <summary>Archives a complete segment, after checking that its pages belong to this cluster, timeline and position.</summary>
    /// <exception cref="WalConflictException">Other bytes are archived under that name.</exception>
    /// <exception cref="WalFormatException">The bytes are not that segment of this cluster.</exception>
    public ValueTask<WalPushOutcome> PushAsync(WalSegmentName name, ReadOnlyMemory<byte> segment, CancellationToken cancellationToken) =>
        throw new NotImplementedException();

    /// <summary>Archives bytes <paramref name="begin"/>.. of a segment that is still being written.</summary>
    public ValueTask PushPartAsync(
        WalSegmentName name, int segmentSize, int begin, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
        throw new NotImplementedException();

    /// <summary>Archives a timeline history file. The same content again is success.</summary>
    public ValueTask<WalPushOutcome> PushHistoryAsync(uint timeline, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        throw new NotImplementedException();

    /// <summary>
    /// The bytes of a segment, or of a history file, or null if not archived. A segment of which only parts are there is put together
    /// from them and padded with zeros to its full size.
    /// </summary>
    public ValueTask<byte[]?> FetchAsync(string fileName, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Complete segments, in order of timeline and position.</summary>
    public IAsyncEnumerable<WalSegmentName> ListAsync(CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>What can be reached from a base backup by following <paramref name="timeline"/> (null: the latest): see <see cref="RecoveryWindow"/>.</summary>
    public ValueTask<RecoveryWindow> FindWindowAsync(PostgresBackupDetails backup, uint? timeline, CancellationToken cancellationToken) =>
        throw new NotImplementedException();

    public BackupRepository Repository { get; } = repository;

    public string SystemIdentifier { get; } = systemIdentifier;
}

/// <summary>
/// The reachable window of one base backup: from its end to the last WAL that follows without a gap. A gap is found by content (page
/// headers, LSN chain), and named.
/// </summary>
/// <param name="Timeline">The timeline followed to its end.</param>
/// <param name="BeginLsn">Stop LSN of the base backup: the earliest consistent point.</param>
/// <param name="BeginTime">Time of that.</param>
/// <param name="EndLsn">End of the last complete record that can be replayed.</param>
/// <param name="EndTime">Commit time of the last transaction in it; null if there is none after the base backup.</param>
/// <param name="Gap">The first missing or broken segment, as a sentence, if later WAL exists behind it.</param>
public sealed record RecoveryWindow(
    uint Timeline, Lsn BeginLsn, DateTimeOffset BeginTime, Lsn EndLsn, DateTimeOffset? EndTime, string? Gap);

/// <summary>Other bytes are archived under the same name.</summary>
public sealed class WalConflictException(string message) : RepositoryException(message);

/// <summary>Bytes are not the WAL that they should be.</summary>
public sealed class WalFormatException(string message) : RepositoryException(message);
