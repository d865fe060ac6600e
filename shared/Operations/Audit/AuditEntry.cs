namespace FunctionsBackup.Operations.Audit;

/// <summary>
/// One thing that was done, tried or refused. Texts are cut to <see cref="AuditLimits"/> when they are recorded, and none may hold a secret:
/// name secrets by reference, keys by their ids.
/// </summary>
public sealed record AuditEntry
{
    /// <summary>Sorts by time: <c>20261126T012000.1234567Z-5ca60a03</c>. The log gives it.</summary>
    public string Id { get; init; } = "";

    /// <summary>When; the log gives it if it is not set.</summary>
    public DateTimeOffset At { get; init; }

    /// <summary>What: one of <see cref="AuditActions"/>, or another word of that form.</summary>
    public required string Action { get; init; }

    public required AuditOutcome Outcome { get; init; }

    /// <summary>Who; null: the log names the operating system's user of this process.</summary>
    public AuditActor? Actor { get; init; }

    /// <summary>The machine that recorded it. The log gives it.</summary>
    public string Host { get; init; } = "";

    /// <summary>From where, if over the network: an address.</summary>
    public string? RemoteAddress { get; init; }

    /// <summary>On what: a recovery point, a key slot, an API key's name, an object.</summary>
    public string? Target { get; init; }

    /// <summary>The orchestration instance that did it or was started: what joins entries of one piece of work.</summary>
    public string? Instance { get; init; }

    /// <summary>Joins the beginning and the end of one operation.</summary>
    public string? Operation { get; init; }

    /// <summary>What <c>fbackup</c> ended with.</summary>
    public int? ExitCode { get; init; }

    /// <summary>Why it did not end well: one sentence.</summary>
    public string? Error { get; init; }

    /// <summary>What else matters, by names in lower case: <c>reason</c>, <c>level</c>, <c>status</c>.</summary>
    public IReadOnlyDictionary<string, string> Facts { get; init; } = new Dictionary<string, string>();

    /// <summary>What it came to for each of several things: components of a backup, recovery points that went.</summary>
    public IReadOnlyList<AuditItem> Items { get; init; } = [];
}

/// <summary>One of several things that an operation dealt with.</summary>
/// <param name="Name">Which: a component, a recovery point, an object.</param>
/// <param name="Outcome">What became of it, in a word: <c>complete</c>, <c>removed</c>, <c>healed</c>.</param>
/// <param name="Detail">Why, or what came of it: one sentence or an id.</param>
public sealed record AuditItem(string Name, string Outcome, string? Detail = null);

/// <summary>What an entry may hold; more is cut, and what was cut ends with <c>…</c>.</summary>
public static class AuditLimits
{
    /// <summary>Characters of an action, a target, an id, a name.</summary>
    public const int Name = 500;

    /// <summary>Characters of a sentence.</summary>
    public const int Sentence = 2000;

    public const int Facts = 40;

    /// <summary>Items of one entry; the rest goes into further entries of the same operation.</summary>
    public const int Items = 200;
}
