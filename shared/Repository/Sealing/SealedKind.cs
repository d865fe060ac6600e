namespace FunctionsBackup.Repository.Sealing;

/// <summary>What a sealed object is; bound into its encryption, so that one cannot stand in for another (FORMAT.md §2).</summary>
public enum SealedKind : byte
{
    Snapshot = 1,
    IndexSegment = 2,
    Pin = 3,
    VerificationResult = 4,
    CollectionMark = 5,
    DamageRecord = 6,
    WalSegment = 7,
    WalPart = 8,
    TimelineHistory = 9,

    /// <summary>Of a run that is under way: its plan, or what a unit stored.</summary>
    RunPart = 10,

    /// <summary>Joins the snapshots of a run.</summary>
    RecoveryPoint = 11,

    Witness = 12,
    Measurement = 13,

    /// <summary>That objects were removed on purpose.</summary>
    Removal = 14,

    /// <summary>The key of a data subject.</summary>
    SubjectKey = 25,

    /// <summary>That such a key was destroyed.</summary>
    Tombstone = 26,

    /// <summary>What was seen of retention locks.</summary>
    LockRecord = 20,

    /// <summary>That a recovery point is suspicious.</summary>
    Anomaly = 21,

    /// <summary>What a person decided on that.</summary>
    AnomalyDecision = 22,

    /// <summary>Entries of the audit log.</summary>
    AuditSegment = 23,

    /// <summary>Who writes a chain of the audit log.</summary>
    AuditWriter = 24,

    /// <summary>Events of a LiveKit server between snapshots.</summary>
    JournalPart = 27,
}
