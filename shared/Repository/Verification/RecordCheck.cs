using FunctionsBackup.Repository.Sealing;

namespace FunctionsBackup.Repository.Verification;

/// <summary>
/// Opens every sealed object that is not needed to read a recovery point and so is looked at by nobody else: pins, witnesses, marks, results, records
/// of damage, parts of runs, records that join snapshots, the audit log, and all archived WAL.
/// </summary>
internal static class RecordCheck
{
    private const int SegmentName = 24;

    private static readonly string[] Prefixes =
        ["pins/", "witness/", "collect/", "verify/", "damage/", "measurements/", "parts/", "points/", "removed/", "audit/", "subjects/", "erased/", "wal/", "journals/"];

    /// <summary>What cannot be opened as what its name says.</summary>
    public static async IAsyncEnumerable<DamageException> FindDamageAsync(
        BackupRepository repository, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var prefix in Prefixes)
            await foreach (var info in repository.Store.ListAsync(prefix, cancellationToken).ConfigureAwait(false))
                if (await OpenAsync(repository, KindOf(info.Name), info.Name, cancellationToken).ConfigureAwait(false) is { } damage)
                    yield return damage;
    }

    private static async ValueTask<DamageException?> OpenAsync(
        BackupRepository repository, SealedKind? kind, string name, CancellationToken cancellationToken)
    {
        if (kind is null) return new DamageException(name, $"{name} is not an object of this repository.");
        try
        {
            // Null: removed since it was listed.
            await repository.Sealed.ReadAsync(kind.Value, name, cancellationToken).ConfigureAwait(false);
            return null;
        }
        catch (DamageException damage)
        {
            return damage;
        }
    }

    /// <summary>What an object of this name must be, if it is a sealed object; null: no such object has such a name.</summary>
    public static SealedKind? KindOf(string name)
    {
        var last = name.AsSpan(name.LastIndexOf('/') + 1);
        return name[..Math.Max(0, name.IndexOf('/', StringComparison.Ordinal))] switch
        {
            "snapshots" => SealedKind.Snapshot,
            "pins" => SealedKind.Pin,
            "witness" => SealedKind.Witness,
            "measurements" => SealedKind.Measurement,
            "collect" => SealedKind.CollectionMark,
            "verify" => SealedKind.VerificationResult,
            "damage" => SealedKind.DamageRecord,
            "parts" => SealedKind.RunPart,
            "points" => SealedKind.RecoveryPoint,
            "audit" => name.StartsWith("audit/writers/", StringComparison.Ordinal) ? SealedKind.AuditWriter
                : name.StartsWith("audit/segments/", StringComparison.Ordinal) ? SealedKind.AuditSegment : null,
            "removed" => SealedKind.Removal,
            "journals" => name.StartsWith("journals/livekit/", StringComparison.Ordinal) || name.StartsWith("journals/redis/", StringComparison.Ordinal)
                ? SealedKind.JournalPart : null,
            "subjects" => SealedKind.SubjectKey,
            "erased" => SealedKind.Tombstone,
            // Also the labels of base backups that a server archives.
            not "wal" => null,
            _ when last.EndsWith(".history") || last.EndsWith(".backup") => SealedKind.TimelineHistory,
            _ when last.Length == SegmentName => SealedKind.WalSegment,
            // Bytes of a segment that was still being written, and segments that a server left unfinished.
            _ when name.Contains(".parts/", StringComparison.Ordinal) || last.EndsWith(".partial") => SealedKind.WalPart,
            _ => null,
        };
    }
}
