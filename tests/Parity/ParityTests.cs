using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using FunctionsBackup.Tests.Parity.Scenarios;

namespace FunctionsBackup.Tests.Parity;

/// <summary>The embedded engine does what the real framework did, but for what <see cref="Difference"/> states.</summary>
public sealed class ParityTests
{
    private static readonly Dictionary<string, IReadOnlyList<string>> Recorded = Recording.Read(Resources.Read("baseline.txt"));

    private static readonly Lazy<Task<ConcurrentDictionary<string, IReadOnlyList<string>>>> Live = Play(replays: false),
        Replayed = Play(replays: true);

    public static TheoryData<string> Names => [.. Scenario.All.Select(s => s.Name)];

    public static TheoryData<string> NamesWithoutReplays => [.. Scenario.All.Where(s => !s.IsAboutReplays).Select(s => s.Name)];

    [Theory]
    [MemberData(nameof(NamesWithoutReplays))]
    public Task As_the_real_framework(string scenario) => Compare(scenario, replays: false);

    [Theory]
    [MemberData(nameof(Names))]
    public Task As_the_real_framework_with_a_replay_before_each_turn(string scenario) => Compare(scenario, replays: true);

    [Fact]
    public void Every_scenario_was_recorded_and_no_other() => Recorded.Keys.ShouldBe(Scenario.All.Select(s => s.Name), ignoreOrder: true);

    [Fact]
    public void Differences_are_of_scenarios_that_are() =>
        Difference.All.Select(d => d.Scenario).Except(Scenario.All.Select(s => s.Name)).ShouldBeEmpty();

    private static async Task Compare(string scenario, bool replays)
    {
        var said = await (replays ? Replayed : Live).Value;
        var expected = Difference.Apply(scenario, string.Join('\n', Recorded[scenario]));
        var ours = string.Join('\n', said[scenario]);
        // "…" stands for words of our own, which may be chosen better any day.
        if (!Regex.IsMatch(ours, $"^{Regex.Escape(expected).Replace("…", ".*", StringComparison.Ordinal)}$")) ours.ShouldBe(expected);
    }

    /// <summary>All scenarios, several at a time: most of them wait.</summary>
    private static Lazy<Task<ConcurrentDictionary<string, IReadOnlyList<string>>>> Play(bool replays) => new(async () =>
    {
        var said = new ConcurrentDictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        await Parallel.ForEachAsync(Scenario.All, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (scenario, _) =>
        {
            await using var stage = new EmbeddedStage(replays);
            said[scenario.Name] = await scenario.PlayOn(stage);
        });
        // For a look at all of it beside the recording.
        if (Environment.GetEnvironmentVariable("PARITY_OUT") is { Length: > 0 } folder)
            File.WriteAllText(Path.Join(folder, replays ? "replayed.txt" : "live.txt"),
                Recording.Write(Scenario.All.Select(s => (s, said[s.Name]))));
        return said;
    });

}
