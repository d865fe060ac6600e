using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Components.LiveKit.Restore;

/// <summary>What a restore into a server asks for.</summary>
public sealed record LiveKitRestoreOptions
{
    /// <summary>Delete what the server has and the snapshot has not. A person must have approved it.</summary>
    public bool Exact { get; init; }

    /// <summary>Start recordings again that were going on.</summary>
    public bool RestartEgress { get; init; }
}

/// <summary>What is done with one object.</summary>
public enum RestoreAction
{
    /// <summary>The server has it.</summary>
    Keep,

    /// <summary>It is made.</summary>
    Create,

    /// <summary>Exact: the snapshot has it not.</summary>
    Delete,

    /// <summary>An egress is started again.</summary>
    Start,
}

/// <summary>One step: at most one call.</summary>
/// <param name="Action">What is done.</param>
/// <param name="Kind">Name of the kind.</param>
/// <param name="Shown">How a person knows the object.</param>
/// <param name="Call">What is called; null: nothing.</param>
/// <param name="OldId">In the snapshot; of a deletion, in the server.</param>
/// <param name="NewId">In the server, if it is there.</param>
public sealed record RestoreStep(RestoreAction Action, string Kind, string Shown, string? Call, string OldId, string? NewId)
{
    /// <summary>The object to make, start or delete.</summary>
    internal LiveKitItem? Item { get; init; }

    internal ObjectRules? Rules { get; init; }

    /// <summary>The message, where it does not follow from the object.</summary>
    internal System.Text.Json.Nodes.JsonObject? Body { get; init; }
}

/// <summary>What a restore will do.</summary>
/// <param name="Snapshot">What is restored.</param>
/// <param name="Server">Where to: host and port.</param>
/// <param name="Steps">In order.</param>
/// <param name="Warnings">What to know, one sentence each.</param>
public sealed record LiveKitRestorePlan(Snapshot Snapshot, string Server, IReadOnlyList<RestoreStep> Steps, IReadOnlyList<string> Warnings)
{
    public int Count(RestoreAction action) => Steps.Count(s => s.Action == action);
}

/// <summary>An object that has another id now.</summary>
/// <param name="Kind">Name of the kind.</param>
/// <param name="Name">How a person knows it.</param>
/// <param name="OldId">In the snapshot.</param>
/// <param name="NewId">In the server.</param>
public sealed record MappedId(string Kind, string Name, string OldId, string NewId);

/// <summary>What a restore did.</summary>
/// <param name="Plan">What it was to do.</param>
/// <param name="Created">Objects that were made.</param>
/// <param name="Kept">Objects that were there.</param>
/// <param name="Deleted">Objects that were deleted.</param>
/// <param name="Started">Recordings that were started.</param>
/// <param name="Ids">Old and new ids of all that is there now.</param>
/// <param name="Failures">What could not be done, one sentence each.</param>
public sealed record LiveKitRestoreReport(
    LiveKitRestorePlan Plan, int Created, int Kept, int Deleted, int Started, IReadOnlyList<MappedId> Ids, IReadOnlyList<string> Failures);
