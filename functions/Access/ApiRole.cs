using FunctionsBackup.Operations.Audit;

namespace FunctionsBackup.Functions.Access;

/// <summary>What a caller may do; each role includes the ones before it.</summary>
public enum ApiRole
{
    /// <summary>Looks.</summary>
    Viewer = 1,

    /// <summary>Starts and stops work.</summary>
    Operator = 2,

    /// <summary>Decides where a human must.</summary>
    Approver = 3,
}

/// <summary>Who calls.</summary>
/// <param name="Name">For the record.</param>
/// <param name="Role">The highest that the caller has; null: none.</param>
public sealed record Caller(string Name, ApiRole? Role)
{
    /// <summary>How the name is known.</summary>
    public AuditActorKind Kind { get; init; } = AuditActorKind.Anonymous;

    /// <summary>What tells principals of the same name apart; null: the name is all there is.</summary>
    public string? Id { get; init; }
}
