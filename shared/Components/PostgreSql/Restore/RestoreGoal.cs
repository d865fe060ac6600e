using System.Globalization;
using FunctionsBackup.Components.PostgreSql.Wal;

namespace FunctionsBackup.Components.PostgreSql.Restore;

/// <summary>How far a restored cluster is recovered.</summary>
public abstract record RestoreGoal
{
    private RestoreGoal()
    {
    }

    /// <summary>To the end of the archived WAL.</summary>
    public static RestoreGoal Latest { get; } = new ToEnd();

    /// <summary>Only until the base backup is consistent: the state at its end.</summary>
    public static RestoreGoal Immediate { get; } = new ToConsistency();

    /// <summary>To a time, LSN, restore point or transaction.</summary>
    public static RestoreGoal To(RecoveryTarget target) => new ToTarget(target);

    /// <summary>The goal in words, for plans and messages: <c>the end of the archived WAL</c>, <c>2026-11-22 15:00:00+00, inclusive</c>.</summary>
    public abstract string Describe();

    public sealed record ToEnd : RestoreGoal
    {
        public override string Describe() => "the end of the archived WAL";
    }

    public sealed record ToConsistency : RestoreGoal
    {
        public override string Describe() => "the end of the base backup";
    }

    public sealed record ToTarget(RecoveryTarget Target) : RestoreGoal
    {
        public override string Describe() => Target switch
        {
            RecoveryTarget.AtTime time => $"{RecoverySettings.FormatTime(time.Time, time.Inclusive)}{Edge(time.Inclusive)}",
            RecoveryTarget.AtLsn lsn => $"LSN {lsn.Lsn}{Edge(lsn.Inclusive)}",
            RecoveryTarget.AtName name => $"restore point '{name.Name}'",
            RecoveryTarget.AtXid xid => string.Create(CultureInfo.InvariantCulture, $"transaction {xid.Xid}{Edge(xid.Inclusive)}"),
            _ => Target.ToString(),
        };

        private static string Edge(bool inclusive) => inclusive ? ", inclusive" : ", exclusive";
    }
}

/// <summary>What the server does when it has reached its target (recovery_target_action).</summary>
public enum RecoveryAction
{
    /// <summary>Ends recovery and lets everybody in, on a new timeline.</summary>
    Promote,

    /// <summary>Stays readable at the target until <c>pg_wal_replay_resume()</c>.</summary>
    Pause,

    /// <summary>Stops; the data directory can be looked at, or started again towards a later target.</summary>
    Shutdown,
}
