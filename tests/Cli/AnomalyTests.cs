using System.Security.Cryptography;

namespace FunctionsBackup.Tests.Cli;

/// <summary>Recordings that are encrypted by somebody else, from the alarm to the restore.</summary>
public sealed class AnomalyTests : IDisposable
{
    private readonly Fbackup _fbackup = new();

    public AnomalyTests()
    {
        _fbackup.WriteConfiguration("""
              policies: { voice_data: { retention: { snapshots: 1 } } }
              anomalies: { minimum_history: 3, minimum_size: 1 }
            """);
        _fbackup.Run("init", "--yes").Expect(0);
    }

    public void Dispose() => _fbackup.Dispose();

    [Fact]
    public void An_attack_is_noticed_stops_pruning_and_leads_back_to_the_last_clean_recovery_point()
    {
        for (var day = 0; day < 4; day++)
        {
            AddRecordings(day, day == 0 ? 30 : 1);
            BackUp(expected: 0);
        }

        var before = Content(_fbackup.PathOf("recordings"));
        foreach (var file in Directory.GetFiles(_fbackup.PathOf("recordings")))
        {
            File.WriteAllBytes(file + ".locked", RandomNumberGenerator.GetBytes(60_000));
            File.Delete(file);
        }

        var ran = _fbackup.Run("backup", "run", "--json").Expect(3);
        ran.Error.ShouldContain("is suspicious");
        var suspicious = ran.Events[^1]["suspicious"]!.AsArray().ShouldHaveSingleItem()!;
        var id = suspicious["id"]!.GetValue<string>();
        suspicious["reasons"]!.AsArray().Count.ShouldBeGreaterThanOrEqualTo(2);
        ran.Events[^1]["outcome"]!.GetValue<string>().ShouldBe("complete", "the backup itself is done");
        var later = BackUp(expected: 0); // nothing new: not unusual, but in doubt

        _fbackup.Run("backup", "show", id).Expect(0).Output.ShouldContain("standing        suspicious");
        var listed = _fbackup.Run("backup", "list", "--json").Expect(0).Json["recovery_points"]!.AsArray();
        listed.Select(p => p!["standing"]!.GetValue<string>()).ShouldBe(["clean", "clean", "clean", "clean", "suspicious", "tainted"]);
        _fbackup.Run("status").Expect(3).Error.ShouldContain($"fbackup backup accept {id}");
        var pruned = _fbackup.Run("backup", "prune", "--dry-run", "--json").Expect(0).Json["recovery_points"]!;
        pruned.AsArray().ShouldAllBe(p => p!["keep"]!.GetValue<bool>());
        pruned[0]!["reasons"]![0]!.GetValue<string>().ShouldBe($"{id} is suspicious and nobody has decided");

        _fbackup.Run("restore", "voice_data", "--target", "out", "--before-anomaly").Expect(0);
        Content(_fbackup.PathOf("out/recordings")).ShouldBe(before);
        _fbackup.Run("restore", "voice_data", "--target", "bad").Expect(3).Error.ShouldContain("taken after one that is suspicious");
        _fbackup.Run("restore", "voice_data", id, "--target", "x", "--before-anomaly").Expect(2);

        _fbackup.Run("backup", "reject", id).Expect(2).Error.ShouldContain("--reason");
        _fbackup.Run("backup", "reject", listed[0]!["id"]!.GetValue<string>(), "--reason", "x").Expect(4);
        _fbackup.Run("backup", "reject", id, "--reason", "it was malware").Expect(0);
        var recorded = _fbackup.Run("audit", "list", "--json").Expect(0).Json["entries"]!.AsArray()
            .Where(e => e!["target"]?.GetValue<string>() == id).Select(e => e!["action"]!.GetValue<string>()).ToList();
        recorded.ShouldContain("anomaly.found");
        recorded.ShouldContain("anomaly.decision");
        _fbackup.Run("backup", "show", id, "--json").Expect(0).Json["decision"]!["reason"]!.GetValue<string>().ShouldBe("it was malware");
        _fbackup.Run("backup", "prune").Expect(0);
        var left = _fbackup.Run("backup", "list", "--json").Expect(0).Json["recovery_points"]!.AsArray();
        left[0]!["id"]!.GetValue<string>().ShouldBe(listed[3]!["id"]!.GetValue<string>(), "the last clean one keeps its place");
        _fbackup.Run("restore", "voice_data", "--target", "again", "--before-anomaly", "--plan", "--json").Expect(0)
            .Json["recovery_point"]!.GetValue<string>().ShouldBe(left[0]!["id"]!.GetValue<string>());
        later.ShouldNotBe(id);
    }

    [Fact]
    public void A_component_that_is_ignored_is_not_judged()
    {
        _fbackup.WriteConfiguration("  anomalies: { minimum_history: 2, minimum_size: 1, ignore: [voice_data] }");
        for (var day = 0; day < 4; day++)
        {
            Directory.CreateDirectory(_fbackup.PathOf("recordings"));
            foreach (var file in Directory.GetFiles(_fbackup.PathOf("recordings"))) File.Delete(file);
            AddRecordings(day, 30);
            BackUp(expected: 0);
        }
    }

    private string BackUp(int expected) =>
        _fbackup.Run("backup", "run", "--json").Expect(expected).Events[^1]["recovery_points"]![0]!["id"]!.GetValue<string>();

    private void AddRecordings(int day, int count)
    {
        Directory.CreateDirectory(_fbackup.PathOf("recordings"));
        for (var i = 0; i < count; i++)
        {
            var bytes = new byte[60_000];
            new Random((day * 1000) + i).NextBytes(bytes);
            File.WriteAllBytes(_fbackup.PathOf($"recordings/{day}-{i:00}.opus"), bytes);
        }
    }

    private static SortedDictionary<string, string> Content(string folder) => new(Directory.GetFiles(folder).ToDictionary(
        f => Path.GetFileName(f), f => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(f)))));
}
