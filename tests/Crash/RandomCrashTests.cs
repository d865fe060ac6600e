using FunctionsBackup.Tests.Crash.Harness;
using Xunit.Abstractions;

namespace FunctionsBackup.Tests.Crash;

/// <summary>A process is killed at random moments, again and again on one repository, so that what crashes leave behind adds up.</summary>
public sealed class RandomCrashTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(1, 60)]
    [InlineData(2, 60)]
    public Task Backups_collections_and_deletions_killed_at_random(int seed, int kills) => RunAsync(seed, kills);

    [Theory]
    [Trait("Category", "Long")]
    [InlineData(3, 500)]
    [InlineData(4, 500)]
    public Task The_same_for_longer(int seed, int kills) => RunAsync(seed, kills);

    private async Task RunAsync(int seed, int kills)
    {
        var random = new Random(seed);
        using var site = new CrashSite();
        await site.DoAsync("init");
        for (var i = 0; i < 10; i++) site.Tree.Add($"calls/{i}", random.Next(0, 300_000));
        site.Tree.Add("large", 6_000_000);
        await site.DoAsync("backup");
        var (killed, ended, committed) = (0, 0, 0);
        var typical = TimeSpan.FromMilliseconds(50);
        while (killed < kills)
        {
            var deed = random.Next(10) switch { 0 => "forget", 1 or 2 => "collect", _ => "backup" };
            if (deed == "forget" && site.Committed.Count < 2) deed = "backup";
            if (deed == "backup") site.Tree.Change();
            var before = site.Committed.Count;
            var took = await CrashHost.KillAfterAsync(site.Store, typical * (1.3 * random.NextDouble()), deed, deed == "backup" ? site.Tree.Root : "");
            // Moments spread over the whole deed, however fast this machine is today: towards what deeds really take.
            typical = took is { } time ? (typical + time) / 2 : typical * 1.05;
            if (took is null) killed++;
            else ended++;
            await site.CheckAsync(mayCommit: deed == "backup", mayForget: deed == "forget");
            if (took is null && site.Committed.Count != before) committed++;
            if (random.Next(4) == 0) site.Age(TimeSpan.FromHours(30));
            while (site.Committed.Count > 4) await site.DoAsync("forget");
        }

        output.WriteLine($"{killed} killed ({committed} of them after their effect), {ended} ended before");
        await site.GoOnAsync();
    }
}
