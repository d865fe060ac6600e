namespace FunctionsBackup.Operations.Audit;

/// <summary>An entry and where it stands in the log.</summary>
/// <param name="Entry">The entry.</param>
/// <param name="Writer">Whose chain.</param>
/// <param name="Sequence">The segment.</param>
/// <param name="Line">Its place in the segment, from 1.</param>
public sealed record AuditRecord(AuditEntry Entry, string Writer, long Sequence, int Line);

/// <summary>Which entries are wanted.</summary>
public sealed record AuditFilter
{
    public DateTimeOffset? From { get; init; }

    /// <summary>Not including.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>An action, or its kind: <c>backup</c> is all that begins with <c>backup.</c>.</summary>
    public string? Action { get; init; }

    public AuditOutcome? Outcome { get; init; }

    /// <summary>A name that the actor's contains.</summary>
    public string? Actor { get; init; }

    /// <summary>A text that the target, the instance or an item contains.</summary>
    public string? Subject { get; init; }

    public bool Takes(AuditEntry entry) =>
        (From is not { } from || entry.At >= from) && (To is not { } to || entry.At < to)
        && (Action is null || entry.Action == Action || entry.Action.StartsWith(Action + ".", StringComparison.Ordinal))
        && (Outcome is null || entry.Outcome == Outcome)
        && (Actor is null || entry.Actor?.Name.Contains(Actor, StringComparison.OrdinalIgnoreCase) == true)
        && (Subject is null || Has(entry.Target) || Has(entry.Instance) || entry.Items.Any(i => Has(i.Name)));

    private bool Has(string? text) => text?.Contains(Subject!, StringComparison.OrdinalIgnoreCase) == true;
}
