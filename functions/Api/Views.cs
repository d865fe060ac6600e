using System.Text.Json.Nodes;
using FunctionsBackup.Repository.Anomalies;

namespace FunctionsBackup.Functions.Api;

/// <summary>What a start answers with: the new instance, or the one that was doing the same already.</summary>
/// <param name="Id">Of the instance.</param>
/// <param name="Started">False: it was running before, and nothing was started.</param>
/// <param name="StatusUrl">Where to ask how far it is.</param>
public sealed record StartedView(string Id, bool Started, string StatusUrl);

/// <summary>An instance.</summary>
public sealed record InstanceView
{
    public required string Id { get; init; }

    /// <summary><c>pending</c>, <c>running</c>, <c>suspended</c>, <c>completed</c>, <c>failed</c> or <c>terminated</c>.</summary>
    public required string Status { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset UpdatedAt { get; init; }

    /// <summary>What was asked for.</summary>
    public JsonNode? Request { get; init; }

    /// <summary>How far it is.</summary>
    public JsonNode? Progress { get; init; }

    /// <summary>What came of it.</summary>
    public JsonNode? Result { get; init; }

    /// <summary>Why it failed.</summary>
    public string? Failure { get; init; }
}

/// <summary>Some instances, newest first where the engine has them so, and where to go on.</summary>
/// <param name="Items">At most as many as were asked for.</param>
/// <param name="Continuation">Send it as the query parameter <c>continuation</c> for the next; null: there are no more.</param>
public sealed record InstanceList(IReadOnlyList<InstanceView> Items, string? Continuation);

/// <summary>A recovery point. Sizes in bytes.</summary>
public sealed record RecoveryPointView
{
    public required string Id { get; init; }

    public required string Component { get; init; }

    public required string Kind { get; init; }

    public string? Parent { get; init; }

    public DateTimeOffset StartedAt { get; init; }

    public DateTimeOffset CompletedAt { get; init; }

    public long Files { get; init; }

    public long LogicalBytes { get; init; }

    public long NewBytes { get; init; }

    public long StoredBytes { get; init; }

    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>
    /// <c>clean</c>, <c>suspicious</c> (a person has to decide), <c>tainted</c> (taken after one that is suspicious or was rejected) or
    /// <c>rejected</c>.
    /// </summary>
    public required string Standing { get; init; }

    /// <summary>What is unusual about it; null: nothing.</summary>
    public SuspicionView? Suspicion { get; init; }

    /// <summary>What its component notes; only where one is shown.</summary>
    public JsonNode? Details { get; init; }
}

/// <summary>What is unusual about a recovery point, and what a person decided.</summary>
public sealed record SuspicionView
{
    public IReadOnlyList<string> Reasons { get; init; } = [];

    /// <summary>Null: nobody has decided.</summary>
    public bool? Accepted { get; init; }

    public string? DecidedBy { get; init; }

    public DateTimeOffset? DecidedAt { get; init; }

    public string? DecisionReason { get; init; }

    internal static SuspicionView? Of(Suspicion? suspicion) => suspicion is null ? null : new SuspicionView
    {
        Reasons = suspicion.Reasons,
        Accepted = suspicion.Decision?.Accepted,
        DecidedBy = suspicion.Decision?.By,
        DecidedAt = suspicion.Decision?.At,
        DecisionReason = suspicion.Decision?.Reason,
    };
}

/// <summary>Some recovery points, newest first.</summary>
/// <param name="Items">At most as many as were asked for.</param>
/// <param name="Continuation">Send it as the query parameter <c>continuation</c> for older ones; null: there are none.</param>
public sealed record RecoveryPointList(IReadOnlyList<RecoveryPointView> Items, string? Continuation);

/// <summary>Whether the server works.</summary>
/// <param name="Status"><c>live</c> or <c>ready</c>.</param>
public sealed record HealthView(string Status);
