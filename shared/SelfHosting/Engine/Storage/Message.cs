using FunctionsBackup.SelfHosting.Engine.History;

namespace FunctionsBackup.SelfHosting.Engine.Storage;

/// <summary>Something for an instance that its history does not have yet.</summary>
/// <param name="Instance">The instance's key.</param>
/// <param name="Kind">What it is.</param>
/// <param name="InboxId">0: it is in no inbox, but follows from the tables of work and timers.</param>
/// <param name="TaskId">-1: concerns no task.</param>
/// <param name="Name">As in the history.</param>
/// <param name="Detail">As in the history.</param>
/// <param name="Data">As in the history.</param>
/// <param name="Due">Not before; null: at once.</param>
internal sealed record Message(
    long Instance, HistoryEventKind Kind, long InboxId = 0, long TaskId = -1, string? Name = null, string? Detail = null,
    string? Data = null, DateTimeOffset? Due = null);

/// <summary>An activity that is to run.</summary>
internal sealed record PendingActivity(long Instance, string InstanceId, long TaskId, string Name, string? Input);

/// <summary>A timer that has not fired.</summary>
internal sealed record PendingTimer(long Instance, long TaskId, DateTimeOffset Due);
