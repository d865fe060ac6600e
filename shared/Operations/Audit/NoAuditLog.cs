namespace FunctionsBackup.Operations.Audit;

/// <summary>Keeps nothing: where there is no site whose log it could be.</summary>
public sealed class NoAuditLog : IAuditLog
{
    public static NoAuditLog Instance { get; } = new();

    public ValueTask RecordAsync(AuditEntry entry) => ValueTask.CompletedTask;

    public ValueTask<bool> FlushAsync(CancellationToken cancellationToken) => ValueTask.FromResult(true);
}
