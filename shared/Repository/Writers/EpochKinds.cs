using FunctionsBackup.Repository.Sealing;

namespace FunctionsBackup.Repository.Writers;

/// <summary>
/// What an epoch number in an object says of who made it (FORMAT.md §3.5): a holder of the repository's keys, a session of a write-only
/// writer, or such a writer for its own chain of the audit log.
/// </summary>
internal static class EpochKinds
{
    private const uint Foreign = 0x8000_0000, OfWriter = 0xC000_0000;

    /// <summary>A data key that a write-only writer made for one session: numbers from 0x80000000 on.</summary>
    public static bool IsSession(uint epoch) => (epoch & OfWriter) == Foreign;

    /// <summary>A writer's own key: numbers from 0xC0000000 on.</summary>
    public static bool IsWriter(uint epoch) => (epoch & OfWriter) == OfWriter;

    /// <summary>Whether a holder of the repository's keys made it.</summary>
    public static bool IsRepository(uint epoch) => epoch is > 0 and < Foreign;

    public static uint NewSession() => Random30() | Foreign;

    public static uint NewWriter() => Random30() | OfWriter;

    /// <summary>
    /// Whether such an object may have been made in such an epoch. What steers others (marks, pins, decisions, results) only holders of the
    /// repository's keys may make: a writer's host may be in somebody else's hands.
    /// </summary>
    /// <param name="epoch">The epoch that the object names.</param>
    /// <param name="kind">What it is.</param>
    public static bool Allows(uint epoch, SealedKind kind)
    {
        if (IsWriter(epoch)) return kind is SealedKind.AuditSegment;
        if (!IsSession(epoch)) return true;
        return kind switch
        {
            SealedKind.Snapshot or SealedKind.Witness or SealedKind.RecoveryPoint => true,
            SealedKind.WalSegment or SealedKind.WalPart or SealedKind.TimelineHistory or SealedKind.RunPart => true,
            _ => false,
        };
    }

    private static uint Random30() =>
        BitConverter.ToUInt32(System.Security.Cryptography.RandomNumberGenerator.GetBytes(sizeof(uint))) & 0x3FFF_FFFF;
}
