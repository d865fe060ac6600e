using FunctionsBackup.Operations.Audit;

namespace FunctionsBackup.Tests.Operations.Audit;

public sealed class DeniedRequestsTests
{
    [Fact]
    public async Task A_flood_is_counted_and_does_not_fill_the_log()
    {
        var log = new ListLog();
        await using (var denied = new DeniedRequests(log, TimeProvider.System))
        {
            for (var i = 0; i < 500; i++) await denied.NoteAsync(AuditActor.Anonymous, "192.0.2.1", "POST backups", 401, "A key is needed.");
            log.Entries.Count.ShouldBe(DeniedRequests.Limit);
        }

        log.Entries.Count.ShouldBe(DeniedRequests.Limit + 1);
        log.Entries[^1].Facts["requests"].ShouldBe($"{500 - DeniedRequests.Limit}");
        log.Entries.ShouldAllBe(e => e.Action == AuditActions.AccessDenied && e.Outcome == AuditOutcome.Denied);
    }

    [Fact]
    public async Task Those_who_were_told_to_wait_are_only_counted()
    {
        var log = new ListLog();
        await using (var denied = new DeniedRequests(log, TimeProvider.System))
            await denied.NoteAsync(AuditActor.Anonymous, "192.0.2.1", "POST backups", 429, "Too many.");
        log.Entries.ShouldHaveSingleItem().Facts["requests"].ShouldBe("1");
    }

    private sealed class ListLog : IAuditLog
    {
        public List<AuditEntry> Entries { get; } = [];

        public ValueTask RecordAsync(AuditEntry entry)
        {
            Entries.Add(entry);
            return ValueTask.CompletedTask;
        }

        public ValueTask<bool> FlushAsync(CancellationToken cancellationToken) => ValueTask.FromResult(true);
    }
}
