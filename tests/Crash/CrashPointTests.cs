using FunctionsBackup.Tests.Crash.Harness;
using FunctionsBackup.Tests.Crash.Host;
using Xunit.Abstractions;

namespace FunctionsBackup.Tests.Crash;

/// <summary>
/// A process is killed with SIGKILL before, in, and after every write that it makes to the store. Whatever it was doing, every committed
/// recovery point comes back byte for byte, nothing else is visible, nothing is damaged, and the next backup succeeds.
/// </summary>
public sealed class CrashPointTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Day = TimeSpan.FromHours(30);
    private static readonly KillMoment[] Moments = Enum.GetValues<KillMoment>();

    [Fact]
    public async Task Init_killed_at_every_write_is_simply_run_again()
    {
        using var probe = new CrashSite();
        var writes = await CrashHost.RunAsync(probe.Store, "init");
        writes.ShouldBeGreaterThan(3);
        output.WriteLine($"init: {writes} writes, {writes * Moments.Length} crash points");
        foreach (var (point, moment) in Points(writes))
        {
            using var site = new CrashSite();
            await CrashHost.KillAtAsync(site.Store, point, moment, "init");
            await site.DoAsync("init");
            Fill(site.Tree, 3, 10_000);
            await site.DoAsync("backup");
            await site.CheckAsync();
        }
    }

    [Fact]
    public async Task First_backup() => await KillEverywhereAsync(
        async site =>
        {
            await site.DoAsync("init");
            Fill(site.Tree, 30, 20_000);
        },
        "backup", mayCommit: true);

    [Fact]
    public async Task Backup_after_another() => await KillEverywhereAsync(
        async site =>
        {
            await site.DoAsync("init");
            Fill(site.Tree, 30, 20_000);
            await site.DoAsync("backup");
            site.Tree.Change();
        },
        "backup", mayCommit: true);

    [Fact]
    public async Task Backup_of_several_packs() => await KillEverywhereAsync(
        async site =>
        {
            await site.DoAsync("init");
            Fill(site.Tree, 5, 30_000);
            await site.DoAsync("backup");
            for (var i = 0; i < 4; i++) site.Tree.Add($"large/{i}", 11_000_000);
        },
        "backup", mayCommit: true, atLeast: 5);

    [Fact]
    public async Task Forgetting_a_recovery_point() => await KillEverywhereAsync(WithThree, "forget", mayForget: true);

    [Fact]
    public async Task Pinning() => await KillEverywhereAsync(WithThree, "pin");

    [Fact]
    public async Task Archiving_a_segment() => await KillEverywhereAsync(WithThree, "seal", argument: "wal/1/00000001/000000010000000000000001");

    [Fact]
    public async Task Marking_what_is_not_needed() => await KillEverywhereAsync(
        async site =>
        {
            await WithThree(site);
            await site.DoAsync("forget");
            await site.DoAsync("forget");
            site.Age(Day);
        },
        "collect");

    [Fact]
    public async Task Sweeping_what_was_marked() => await KillEverywhereAsync(
        async site =>
        {
            await WithThree(site);
            await site.DoAsync("forget");
            await site.DoAsync("forget");
            site.Age(Day);
            await site.DoAsync("collect");
            site.Age(Day);
        },
        "collect");

    [Fact]
    public async Task Copying_what_is_needed_out_of_a_mostly_unneeded_pack() => await KillEverywhereAsync(
        async site =>
        {
            await site.DoAsync("init");
            for (var i = 0; i < 10; i++) site.Tree.Add($"calls/{i}", 1_500_000);
            await site.DoAsync("backup");
            for (var i = 0; i < 8; i++) site.Tree.Remove($"calls/{i}");
            await site.DoAsync("backup");
            await site.DoAsync("forget");
            site.Age(Day);
        },
        "collect", atLeast: 4);

    [Fact]
    public async Task Repairing() => await KillEverywhereAsync(WithThree, "repair");

    private static async Task WithThree(CrashSite site)
    {
        await site.DoAsync("init");
        Fill(site.Tree, 12, 50_000);
        for (var i = 0; i < 3; i++)
        {
            for (var change = 0; change < 4; change++) site.Tree.Change();
            await site.DoAsync("backup");
        }
    }

    private static void Fill(SourceTree tree, int files, int bytes)
    {
        for (var i = 0; i < files; i++) tree.Add($"calls/{i % 3}/{i:000}.wav", bytes + (i * 997));
        tree.Add("empty", 0);
    }

    private async Task KillEverywhereAsync(
        Func<CrashSite, Task> prepare, string deed, bool mayCommit = false, bool mayForget = false, string argument = "", int atLeast = 1)
    {
        using var origin = new CrashSite();
        await prepare(origin);
        if (deed == "backup") argument = origin.Tree.Root;
        using var probe = origin.Copy();
        var writes = await CrashHost.RunAsync(probe.Store, deed, argument);
        writes.ShouldBeGreaterThanOrEqualTo(atLeast);
        output.WriteLine($"{deed}: {writes} writes, {writes * Moments.Length} crash points");
        await Parallel.ForEachAsync(Points(writes), async (point, _) =>
        {
            using var site = origin.Copy();
            site.Tree = origin.Tree.Freeze();
            await CrashHost.KillAtAsync(site.Store, point.Number, point.Moment, deed, argument);
            await site.CheckAsync(mayCommit, mayForget);
            await site.DoAsync("backup");
            await site.CheckAsync();
        });
    }

    private static IEnumerable<(int Number, KillMoment Moment)> Points(int writes) =>
        from number in Enumerable.Range(1, writes) from moment in Moments select (number, moment);
}
