using System.Security.Cryptography;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Anomalies;
using FunctionsBackup.Repository.Snapshots;
using FunctionsBackup.Tests.Conformance;
using FunctionsBackup.Tests.Repository.Collection;
using FunctionsBackup.Tests.Repository.Sessions;

namespace FunctionsBackup.Tests.Repository.Anomalies;

/// <summary>Recordings day by day in a real repository, and what happens to them.</summary>
public sealed class SuspiciousPointTests
{
    private static readonly AnomalyThresholds Thresholds = new() { MinimumBytes = 1 << 18 };

    private readonly ManualClock _clock = new();
    private readonly InMemoryObjectStore _store;

    public SuspiciousPointTests() => _store = new InMemoryObjectStore(_clock);

    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task Encrypted_recordings_are_suspicious_and_what_comes_after_them_is_in_doubt()
    {
        var (repository, clean, attacked) = await AttackAsync();
        var record = (await AnomalyCheck.RunAsync(repository, attacked, Thresholds, None)).ShouldNotBeNull();
        record.Anomalies.Select(a => a.Kind).ShouldBe([AnomalyKind.ChangedBytes, AnomalyKind.Deduplication, AnomalyKind.Compressibility]);
        var again = (await AnomalyCheck.RunAsync(repository, attacked, Thresholds, None)).ShouldNotBeNull();
        (again.At, again.Anomalies.SequenceEqual(record.Anomalies)).ShouldBe((record.At, true));
        (await SuspicionsAsync(repository)).All.Count.ShouldBe(1);

        // The next backup finds nothing new, but holds the same bytes.
        _clock.Advance(TimeSpan.FromDays(1));
        var next = await repository.BackUpAsync(Encrypted(Recordings(16)), at: _clock.GetUtcNow());
        (await AnomalyCheck.RunAsync(repository, next, Thresholds, None)).ShouldBeNull();
        var suspicions = await SuspicionsAsync(repository);
        suspicions.StandingOf(clean).ShouldBe(PointStanding.Clean);
        suspicions.StandingOf(attacked).ShouldBe(PointStanding.Suspicious);
        suspicions.StandingOf(next).ShouldBe(PointStanding.Tainted);
        suspicions.Open("test").ShouldHaveSingleItem().SnapshotId.ShouldBe(attacked.Id);
        suspicions.Open("logs").ShouldBeEmpty();
    }

    [Fact]
    public async Task What_was_rejected_stays_in_doubt_with_all_until_the_decision_and_what_is_taken_later_does_not()
    {
        var (repository, clean, attacked) = await AttackAsync();
        await AnomalyCheck.RunAsync(repository, attacked, Thresholds, None);
        _clock.Advance(TimeSpan.FromDays(1));
        var between = await repository.BackUpAsync(Encrypted(Recordings(16)), at: _clock.GetUtcNow());
        _clock.Advance(TimeSpan.FromHours(1));
        await DecideAsync(repository, attacked, accepted: false);
        _clock.Advance(TimeSpan.FromHours(1));
        var restored = await repository.BackUpAsync(Recordings(16), at: _clock.GetUtcNow());
        (await AnomalyCheck.RunAsync(repository, restored, Thresholds, None)).ShouldBeNull("what came back is what was usual before");
        var suspicions = await SuspicionsAsync(repository);
        new[] { clean, attacked, between, restored }.Select(suspicions.StandingOf).ShouldBe(
            [PointStanding.Clean, PointStanding.Rejected, PointStanding.Tainted, PointStanding.Clean]);
        suspicions.Open("test").ShouldBeEmpty();
        suspicions.Of(attacked.Id)!.Decision.ShouldBe(new AnomalyDecision(attacked.Id, false, "ann", "why", _clock.GetUtcNow().AddHours(-1)));
    }

    [Fact]
    public async Task What_was_accepted_is_clean_and_becomes_usual_and_a_mind_may_be_changed()
    {
        var (repository, _, attacked) = await AttackAsync();
        await AnomalyCheck.RunAsync(repository, attacked, Thresholds, None);
        await DecideAsync(repository, attacked, accepted: false);
        _clock.Advance(TimeSpan.FromMinutes(1));
        await DecideAsync(repository, attacked, accepted: true);
        (await SuspicionsAsync(repository)).StandingOf(attacked).ShouldBe(PointStanding.Clean);
        _clock.Advance(TimeSpan.FromDays(1));
        var next = await repository.BackUpAsync(Encrypted(Recordings(17)), at: _clock.GetUtcNow());
        (await AnomalyCheck.RunAsync(repository, next, Thresholds, None)).ShouldBeNull();
    }

    [Fact]
    public async Task A_damaged_mark_still_marks_and_a_damaged_decision_decides_nothing()
    {
        var (repository, _, attacked) = await AttackAsync();
        await AnomalyCheck.RunAsync(repository, attacked, Thresholds, None);
        await DecideAsync(repository, attacked, accepted: true);
        foreach (var name in _store.Names.Where(n => n.StartsWith("anomalies/", StringComparison.Ordinal))) _store.Flip(name, 100);
        var suspicion = (await SuspicionsAsync(repository)).All.ShouldHaveSingleItem();
        suspicion.IsOpen.ShouldBeTrue();
        suspicion.Reasons.ShouldHaveSingleItem().ShouldContain("cannot be read");
    }

    [Fact]
    public async Task Nobody_decides_on_what_is_not_suspicious()
    {
        var (repository, clean, _) = await AttackAsync();
        await Should.ThrowAsync<SnapshotNotFoundException>(() => DecideAsync(repository, clean, accepted: true));
        _store.Names.ShouldNotContain(n => n.StartsWith("anomalies/", StringComparison.Ordinal));
    }

    /// <summary>Eight days of growth, each of them clean, and a day on which everything is encrypted.</summary>
    private async Task<(BackupRepository Repository, Snapshot Clean, Snapshot Attacked)> AttackAsync()
    {
        var repository = await TestRepository.CreateAsync(_store, new RepositoryOptions { Time = _clock });
        Snapshot? last = null;
        for (var day = 0; day < 8; day++)
        {
            _clock.Advance(TimeSpan.FromDays(1));
            last = await repository.BackUpAsync(Recordings(8 + day), at: _clock.GetUtcNow());
            (await AnomalyCheck.RunAsync(repository, last, Thresholds, None)).ShouldBeNull($"day {day}");
        }

        _clock.Advance(TimeSpan.FromDays(1));
        return (repository, last!, await repository.BackUpAsync(Encrypted(Recordings(16)), at: _clock.GetUtcNow()));
    }

    private static async Task DecideAsync(BackupRepository repository, Snapshot snapshot, bool accepted) =>
        await new AnomalyStore(repository.Store, repository.Sealed).DecideAsync(
            new AnomalyDecision(snapshot.Id, accepted, "ann", "why", repository.Time.GetUtcNow()), None);

    private static async Task<Suspicions> SuspicionsAsync(BackupRepository repository) =>
        await new AnomalyStore(repository.Store, repository.Sealed).ListAsync(null, None);

    /// <summary>16-bit sound: tones with some noise.</summary>
    private static Dictionary<string, byte[]> Recordings(int count) => Enumerable.Range(0, count).ToDictionary(i => $"call{i:000}.wav", i =>
    {
        var random = new Random(i);
        var bytes = new byte[500_000];
        for (var s = 0; s < bytes.Length / 2; s++)
            BitConverter.TryWriteBytes(bytes.AsSpan(s * 2), (short)((Math.Sin(s * (0.01 + (i * 0.001))) * 6000) + random.Next(-200, 200)));
        return bytes;
    });

    private static Dictionary<string, byte[]> Encrypted(Dictionary<string, byte[]> files)
    {
        using var aes = Aes.Create();
        aes.Key = new byte[32];
        return files.ToDictionary(f => f.Key + ".locked", f => aes.EncryptCbc(f.Value, SHA256.HashData(f.Value)[..16]));
    }
}
