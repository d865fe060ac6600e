using FunctionsBackup.Operations.Audit;

namespace FunctionsBackup.Cli.Running.Auditing;

/// <summary>
/// What the audit log will say of this command. Commands fill in what they work on; that they ran, who called them and how it ended comes
/// by itself. The log never changes what a command ends with.
/// </summary>
internal sealed class CommandAudit(CommandContext context)
{
    private readonly Dictionary<string, string> _facts = [];
    private readonly string _operation = Guid.NewGuid().ToString("N");
    private bool _records;

    /// <summary>Null: this command leaves no entry.</summary>
    public string? Action { get; set; }

    /// <summary>On what.</summary>
    public string? Target { get; set; }

    /// <summary>The orchestration that does the work.</summary>
    public string? Instance { get; set; }

    public List<AuditItem> Items { get; } = [];

    /// <summary>Adds a fact; never a secret.</summary>
    public void Note(string name, string? value)
    {
        if (value is { Length: > 0 }) _facts[name] = value;
    }

    /// <summary>Begins; of long work an entry waits on this machine, which tells of it should the process be killed.</summary>
    public async ValueTask BeginAsync()
    {
        var command = AuditedCommands.NameOf(context.Arguments.CommandResult);
        Action = AuditedCommands.ActionOf(command);
        // Without a configuration there is no site whose log it could be.
        _records = Action is not null && File.Exists(context.ConfigurationFile);
        if (!_records) return;
        Note("command", command);
        if (AuditedCommands.IsLong(command)) await context.Site.Audit.RecordAsync(Entry(AuditOutcome.Started, null, null));
    }

    /// <summary>Ends, and writes what waits into the repository.</summary>
    /// <param name="code">What the command ends with.</param>
    /// <param name="failure">What it failed with, if it threw.</param>
    public async ValueTask EndAsync(int code, Exception? failure)
    {
        if (!_records) return;
        var error = failure is null ? code == ExitCode.Done ? null : context.Printer.LastError : CommandFailures.Describe(failure).Split('\n')[0];
        await context.Site.Audit.RecordAsync(Entry(AuditOutcomes.OfExitCode(code), code, error));
        // Not to be broken off by the signal that ended the command; the log has a patience of its own.
        await context.Site.Audit.FlushAsync(CancellationToken.None);
        if (context.Site.Audit.Trouble is { } trouble && !IsSaid(trouble, failure)) context.Printer.Warn(trouble);
    }

    /// <summary>Whether the command failed for the same reason: that need not be said twice.</summary>
    private bool IsSaid(string trouble, Exception? failure) =>
        (failure is not null && trouble.Contains(CommandFailures.Describe(failure), StringComparison.Ordinal))
        || (context.Printer.LastError is { Length: > 0 } said && trouble.Contains(said, StringComparison.Ordinal));

    private AuditEntry Entry(AuditOutcome outcome, int? code, string? error) => new()
    {
        Action = Action!,
        Outcome = outcome,
        Target = Target,
        Instance = Instance,
        Operation = _operation,
        ExitCode = code,
        Error = error,
        Facts = new Dictionary<string, string>(_facts),
        Items = [.. Items],
    };
}
