using System.Text.Json;
using FunctionsBackup.Components.Files;
using FunctionsBackup.Orchestrations.Backup;
using FunctionsBackup.Orchestrations.Site;

namespace FunctionsBackup.Tests.Orchestrations.Backup;

/// <summary>A component as large as any: what the orchestration hears of it stays small.</summary>
public sealed class PlanBackupTests
{
    [Fact]
    public async Task Ten_terabytes_are_some_hundred_units_and_a_small_history()
    {
        await using var test = await TestSite.CreateAsync();
        var planned = 0L;
        for (var i = 0; i < 2_000; i++)
        {
            // Holes: the walk sees sizes, and nothing is on the disk.
            using var file = File.Create(test.Write($"recordings/{i % 50:00}/call-{i:0000}.opus", []));
            file.SetLength(5_000_000_000);
            planned += file.Length;
        }

        await using var site = new BackupSite(new SiteOptions(test.ConfigurationFile, test.Environment), TimeProvider.System);
        var plan = await new PlanBackup(site).Run(
            new PlanRequest("backup-1", "20261126T020000Z-5ca60a03", ["voice_data", "logs"], false), CancellationToken.None);
        var units = plan.Components.Single(c => c.Component == "voice_data").Units;
        units.Count.ShouldBeInRange(100, new FilesPlannerOptions().MaximumUnits);
        units.Sum(u => u.Bytes).ShouldBeInRange(planned, planned + 100_000_000);
        units.Max(u => u.Bytes).ShouldBeLessThan(8 * planned / units.Count); // the work is shared
        units.Select(u => u.Unit).ShouldBe(units.Select(u => u.Unit).Order(StringComparer.Ordinal)); // catalog order
        JsonSerializer.SerializeToUtf8Bytes(plan).Length.ShouldBeLessThan(64 << 10);
    }
}
