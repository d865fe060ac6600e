using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Restore;
using FunctionsBackup.Orchestrations.SiteRestore;

namespace FunctionsBackup.Tests.Orchestrations;

/// <summary>The orchestrator of site restores, and what it asks of each component.</summary>
public sealed class SiteRestoreTests
{
    private static readonly DateTimeOffset Moment = new(2026, 11, 25, 12, 0, 0, TimeSpan.Zero);

    private static readonly SiteRestoreRequest Request = new() { Target = "/srv/site", ToTime = Moment, RequestedBy = "anna" };

    [Fact]
    public void A_database_is_asked_for_the_moment_for_the_end_or_for_the_backup_alone()
    {
        var state = new ComponentState { Component = "postgres", SnapshotId = "p1", StateAt = Moment, Replays = true };
        var exact = SiteRestoreOrchestrator.RequestFor(Request, state);
        (exact.Point, exact.ToTime, exact.ToBackup, exact.Target).ShouldBe(("latest", Moment, false, "/srv/site/postgres"));
        var last = SiteRestoreOrchestrator.RequestFor(Request, state with { StateAt = Moment.AddMinutes(-3) });
        (last.Point, last.ToTime, last.ToBackup).ShouldBe(("p1", null, false));
        var backup = SiteRestoreOrchestrator.RequestFor(Request, state with { StateAt = Moment.AddHours(-3), Replays = false });
        (backup.Point, backup.ToTime, backup.ToBackup).ShouldBe(("p1", null, true));
        RestoreRequests.Check(exact);
        RestoreRequests.Check(last);
        RestoreRequests.Check(backup);
    }

    [Fact]
    public async Task One_that_fails_does_not_stop_the_others()
    {
        var context = Context((request) => request.Component == "postgres"
            ? new RestoreResult { Outcome = RunOutcome.Failed, ExitCode = 1, Failure = new Failure(FailureKind.Failed, "No.") }
            : new RestoreResult { Outcome = RunOutcome.Complete });
        var result = await SiteRestoreOrchestrator.Run(context.Object);
        (result.Outcome, result.ExitCode, result.Components.Count).ShouldBe((RunOutcome.Partial, 1, 2));
        context.Calls.Count(c => c.Name == nameof(RestoreOrchestrator)).ShouldBe(2);
    }

    [Fact]
    public async Task After_a_cancellation_nothing_else_begins()
    {
        var context = Context(_ => new RestoreResult { Outcome = RunOutcome.Complete });
        context.Cancel.SetResult("no");
        var result = await SiteRestoreOrchestrator.Run(context.Object);
        (result.Outcome, result.ExitCode, result.Components.Count).ShouldBe((RunOutcome.Cancelled, 130, 0));
    }

    private static MockContext Context(Func<RestoreRequest, RestoreResult> restore)
    {
        var plan = new SitePlan
        {
            ToTime = Moment,
            Components =
            [
                new ComponentState { Component = "postgres", SnapshotId = "p1", StateAt = Moment, Replays = true },
                new ComponentState { Component = "logs", SnapshotId = "l1", StateAt = Moment.AddHours(-1) },
            ],
        };
        return new MockContext(Request, "siterestore-all-20261125T221530Z-5ca6")
            .Activity<PlanSiteRequest, SitePlan>(nameof(PlanSite), _ => Task.FromResult(plan))
            .SubOrchestrator<RestoreRequest, RestoreResult>(nameof(RestoreOrchestrator), r => Task.FromResult(restore(r)));
    }
}
