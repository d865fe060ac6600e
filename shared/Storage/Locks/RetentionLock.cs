namespace FunctionsBackup.Storage.Locks;

/// <summary>How strongly an object is locked.</summary>
public enum LockMode
{
    /// <summary>Those with a special permission can lift the lock before its time: S3 <c>GOVERNANCE</c>, an unlocked policy on Azure.</summary>
    Governance,

    /// <summary>Nobody can, not even the owner of the account: S3 <c>COMPLIANCE</c>, a locked policy on Azure.</summary>
    Compliance,
}

/// <summary>The lock that a store sets when it creates an object.</summary>
/// <param name="Mode">How strong.</param>
/// <param name="Period">How long from the creation on; at least a day.</param>
/// <param name="Covers">Which objects, by name; the others must be free to be deleted at any time.</param>
public sealed record RetentionLock(LockMode Mode, TimeSpan Period, Func<string, bool> Covers)
{
    /// <summary>
    /// When a lock set now ends: the period from now on, to the end of that day (UTC), so that what belongs together is freed together.
    /// </summary>
    public DateTimeOffset Until(DateTimeOffset now)
    {
        var end = (now + Period).UtcDateTime;
        return new DateTimeOffset(end.Date, TimeSpan.Zero).AddDays(end.TimeOfDay > TimeSpan.Zero ? 1 : 0);
    }
}

/// <summary>The lock on one object.</summary>
/// <param name="Mode">How strong.</param>
/// <param name="Until">When it ends; <see cref="DateTimeOffset.MaxValue"/>: never by itself (a legal hold).</param>
public sealed record ObjectLock(LockMode Mode, DateTimeOffset Until);
