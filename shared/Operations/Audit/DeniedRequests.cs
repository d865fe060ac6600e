using System.Globalization;

namespace FunctionsBackup.Operations.Audit;

/// <summary>
/// Records requests that were turned away. So that nobody fills the log by knocking, only so many of a minute have an entry each; the others
/// are counted, and the count has one. Safe for concurrent use.
/// </summary>
public sealed class DeniedRequests : IAsyncDisposable
{
    /// <summary>Entries of a minute.</summary>
    public const int Limit = 30;

    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly IAuditLog _log;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private readonly ITimer _end;
    private Task _telling = Task.CompletedTask;
    private DateTimeOffset _since;
    private int _recorded, _counted;

    public DeniedRequests(IAuditLog log, TimeProvider time)
    {
        (_log, _time) = (log, time);
        _end = time.CreateTimer(_ => _telling = TellAsync(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Notes one: with an entry, or in the count.</summary>
    /// <param name="actor">Who, as far as it is known.</param>
    /// <param name="remoteAddress">From where.</param>
    /// <param name="request">Method and route.</param>
    /// <param name="status">What was answered: 401, 403 or 429.</param>
    /// <param name="why">One sentence.</param>
    public async ValueTask NoteAsync(AuditActor actor, string? remoteAddress, string request, int status, string why)
    {
        var now = _time.GetUtcNow();
        lock (_lock)
        {
            if (now - _since >= Window || now < _since)
            {
                if (_counted == 0) (_since, _recorded) = (now, 0);
            }

            // Whoever was told to wait and did not has had entries.
            if (_recorded >= Limit || status == 429)
            {
                if (_counted++ == 0) _end.Change(Window, Timeout.InfiniteTimeSpan);
                return;
            }

            _recorded++;
        }

        await _log.RecordAsync(new AuditEntry
        {
            Action = AuditActions.AccessDenied,
            Outcome = AuditOutcome.Denied,
            Actor = actor,
            RemoteAddress = remoteAddress,
            Target = request,
            Error = why,
            Facts = new Dictionary<string, string> { ["status"] = status.ToString(CultureInfo.InvariantCulture) },
        });
    }

    public async ValueTask DisposeAsync()
    {
        await _end.DisposeAsync();
        await _telling;
        await TellAsync();
    }

    /// <summary>Records how many were only counted.</summary>
    private async Task TellAsync()
    {
        int counted;
        DateTimeOffset since;
        lock (_lock)
        {
            (counted, since) = (_counted, _since);
            (_counted, _recorded, _since) = (0, 0, _time.GetUtcNow());
        }

        if (counted == 0) return;
        await _log.RecordAsync(new AuditEntry
        {
            Action = AuditActions.AccessDenied,
            Outcome = AuditOutcome.Denied,
            Actor = AuditActor.Anonymous,
            Error = $"{counted} further requests were turned away; they have no entries of their own.",
            Facts = new Dictionary<string, string>
            {
                ["requests"] = counted.ToString(CultureInfo.InvariantCulture), ["since"] = since.ToString("O", CultureInfo.InvariantCulture),
            },
        });
    }
}
