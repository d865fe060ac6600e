using System.Text.Json;
using FunctionsBackup.Orchestrations.Backup;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Tests.Orchestrations.Backup;

public sealed class BackupClaimsTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 25, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Of_two_that_race_the_older_one_works_whoever_asks()
    {
        var live = new[] { Claiming("b", 1, "postgres"), Claiming("a", 0, "postgres") }.OrderBy(i => i.CreatedAt).ToList();
        BackupClaims.Decide("a", ["postgres"], live).Granted.ShouldBe(["postgres"]);
        BackupClaims.Decide("b", ["postgres"], live).Held.ShouldBe(new Dictionary<string, string> { ["postgres"] = "a" });
    }

    [Fact]
    public void Of_two_of_the_same_moment_the_first_id_works()
    {
        var live = new[] { Claiming("a", 0, "logs"), Claiming("b", 0, "logs") };
        BackupClaims.Decide("a", ["logs"], live).Granted.ShouldBe(["logs"]);
        BackupClaims.Decide("b", ["logs"], live).Granted.ShouldBeEmpty();
    }

    [Fact]
    public void One_that_works_already_goes_on_though_an_older_one_comes_late()
    {
        var live = new[] { Claiming("late", 0, "postgres", "logs"), Working("busy", 1, "postgres") };
        var claim = BackupClaims.Decide("late", ["postgres", "logs"], live);
        claim.Granted.ShouldBe(["logs"]);
        claim.Held["postgres"].ShouldBe("busy");
    }

    [Fact]
    public void What_another_left_to_somebody_else_is_free()
    {
        var live = new[] { Working("first", 0, "postgres", "!logs"), Claiming("second", 1, "logs") };
        BackupClaims.Decide("second", ["logs"], live).Granted.ShouldBe(["logs"]);
    }

    [Fact]
    public void Others_that_work_on_other_things_are_in_nobodys_way()
    {
        var live = new[] { Working("first", 0, "postgres"), Claiming("second", 1, "logs") };
        BackupClaims.Decide("second", ["logs"], live).Granted.ShouldBe(["logs"]);
    }

    private static OrchestrationMetadata Claiming(string id, int minute, params string[] components) => new("BackupOrchestrator", id)
    {
        RuntimeStatus = OrchestrationRuntimeStatus.Running,
        CreatedAt = Noon.AddMinutes(minute),
        SerializedInput = JsonSerializer.Serialize(new BackupRequest { Components = components }),
    };

    /// <param name="id">Its id.</param>
    /// <param name="minute">When it was created.</param>
    /// <param name="components">With ! before it: left to somebody else.</param>
    private static OrchestrationMetadata Working(string id, int minute, params string[] components) => new("BackupOrchestrator", id)
    {
        RuntimeStatus = OrchestrationRuntimeStatus.Running,
        CreatedAt = Noon.AddMinutes(minute),
        SerializedInput = JsonSerializer.Serialize(new BackupRequest { Components = [.. components.Select(c => c.TrimStart('!'))] }),
        SerializedCustomStatus = JsonSerializer.Serialize(new BackupStatus
        {
            Phase = BackupPhase.Storing,
            Components =
            [
                .. components.Select(c => new ComponentStatus
                {
                    Component = c.TrimStart('!'), State = c.StartsWith('!') ? ComponentState.Superseded : ComponentState.Storing,
                }),
            ],
        }),
    };
}
