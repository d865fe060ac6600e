using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Damage;
using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Repository.Replication;
using FunctionsBackup.Repository.Runs;
using FunctionsBackup.Repository.Sealing;
using FunctionsBackup.Storage;
using FunctionsBackup.Tests.Conformance;
using FunctionsBackup.Tests.Repository.Sessions;

namespace FunctionsBackup.Tests.Repository.Replication;

/// <summary>Every kind of object is spoilt or dropped on one side: reads fall back to the other, and repair heals it from there.</summary>
public sealed class HealingTests
{
    private const string Wal = "wal/7/00000001/000000010000000000000001";

    private readonly ReplicaSite _site = new();

    private static readonly string[] All =
    [
        "config", "keys/*/config", "keys/*/secrets", "keys/*/epochs/", "keys/*/slots/", "keys/*/witness/", "packs/", "index/", "snapshots/", "pins/",
        "points/", "witness/snapshots/", "witness/pins/", "wal/",
    ];

    public static TheoryData<string> Kinds => [.. All];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_spoilt_primary_heals_from_its_replica(string kind)
    {
        await PrepareAsync();
        var good = _site.Primary.Copy();
        var names = Spoil(_site.Primary, kind, drop: false);
        (await RepairAsync()).Unhealed.ShouldBeEmpty();
        await _site.ShouldBeValidAsync(_site.Primary);
        foreach (var name in names.Where(n => !n.StartsWith("index/", StringComparison.Ordinal) && !n.StartsWith("witness/", StringComparison.Ordinal)))
            _site.Primary.Get(name).ShouldBe(good.Get(name), name);
        await _site.ShouldBeValidAsync(_site.Replica);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_primary_that_lost_objects_heals_from_its_replica(string kind)
    {
        await PrepareAsync();
        var good = _site.Primary.Copy();
        var names = Spoil(_site.Primary, kind, drop: true);
        (await RepairAsync()).Unhealed.ShouldBeEmpty();
        (await _site.ShouldBeValidAsync(_site.Primary)).Count.ShouldBe(2);
        foreach (var name in names.Where(n => !n.StartsWith("index/", StringComparison.Ordinal)
            && !n.StartsWith("witness/", StringComparison.Ordinal)))
            _site.Primary.Get(name).ShouldBe(good.Get(name), name);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_spoilt_replica_heals_from_its_primary(string kind)
    {
        await PrepareAsync();
        var good = _site.Replica.Copy();
        var names = Spoil(_site.Replica, kind, drop: false);
        (await RepairAsync()).Unhealed.ShouldBeEmpty();
        await _site.ShouldBeValidAsync(_site.Replica);
        foreach (var name in names) _site.Replica.Get(name).ShouldBe(good.Get(name), name);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_replica_that_lost_objects_gets_them_again(string kind)
    {
        await PrepareAsync();
        var names = Spoil(_site.Replica, kind, drop: true);
        await RepairAsync();
        await _site.ReplicateAsync();
        await _site.ShouldBeValidAsync(_site.Replica);
        foreach (var name in names.Where(n => !n.StartsWith("index/", StringComparison.Ordinal))) _site.Replica.Names.ShouldContain(name);
    }

    [Theory]
    [InlineData("packs/", false)]
    [InlineData("packs/", true)]
    [InlineData("index/", false)]
    [InlineData("index/", true)]
    [InlineData("snapshots/", false)]
    [InlineData("snapshots/", true)]
    [InlineData("wal/", false)]
    [InlineData("wal/", true)]
    public async Task Reads_fall_back_to_the_replica_and_say_so(string kind, bool drop)
    {
        await PrepareAsync();
        var names = Spoil(_site.Primary, kind, drop);
        var store = new FallbackStore(_site.Primary, [_site.Replica]);
        var repository = await _site.OpenAsync(store);
        var snapshots = await repository.ListSnapshotsAsync(null, CancellationToken.None).ToListAsync();
        snapshots.Count.ShouldBe(2);
        foreach (var snapshot in snapshots) (await repository.RestoreAsync(snapshot)).ShouldHold(_site.Contents[snapshot.Id]);
        (await repository.Sealed.ReadAsync(SealedKind.WalSegment, Wal, CancellationToken.None)).ShouldNotBeNull().Body.Length.ShouldBe(5000);
        store.Answers.Select(a => a.Name).ShouldBeSubsetOf(names);
        store.Answers.ShouldNotBeEmpty();
    }

    [Fact]
    public async Task With_other_copies_damaged_differently_each_object_is_read_where_it_is_whole()
    {
        await PrepareAsync();
        var other = _site.Replica.Copy();
        var packs = _site.Names(_site.Primary, "packs/").ToList();
        foreach (var pack in packs) _site.Primary.Flip(pack, 60);
        await _site.Replica.DeleteAsync(packs[0], CancellationToken.None);
        _site.Replica.Flip(packs[1], 60);
        var repository = await _site.OpenAsync(new FallbackStore(_site.Primary, [_site.Replica, other]));
        foreach (var (id, files) in _site.Contents)
            (await repository.RestoreAsync(await repository.GetSnapshotAsync(id, null, CancellationToken.None))).ShouldHold(files);
    }

    [Fact]
    public async Task What_is_damaged_on_both_sides_is_named_and_left_alone()
    {
        await PrepareAsync();
        var pack = _site.Names(_site.Primary, "packs/").First();
        _site.Primary.Flip(pack, 60);
        _site.Replica.Flip(pack, 61);
        var (primary, replica) = (_site.Primary.Get(pack), _site.Replica.Get(pack));
        var report = await HealAsync();
        report.Unhealed.Select(u => u.Name).ShouldBe([pack, pack]);
        report.Healed.ShouldBeEmpty();
        _site.Primary.Get(pack).ShouldBe(primary);
        _site.Replica.Get(pack).ShouldBe(replica);
    }

    [Fact]
    public async Task What_was_removed_on_purpose_does_not_come_back()
    {
        await PrepareAsync();
        var repository = await _site.OpenAsync(_site.Primary);
        var snapshots = await repository.ListSnapshotsAsync(null, CancellationToken.None).ToListAsync();
        await _site.RemoveAsync(snapshots[0]);
        (await HealAsync()).Healed.ShouldBeEmpty();
        (await _site.ShouldBeValidAsync(_site.Primary)).ShouldBe([snapshots[1].Id]);
    }

    [Fact]
    public async Task A_repair_that_dies_at_any_write_is_completed_by_the_next()
    {
        await PrepareAsync();
        foreach (var kind in All.Where(k => k != "keys/*/witness/")) Spoil(_site.Primary, kind, drop: false);
        var start = _site.Primary;
        for (var write = 1; ; write++)
        {
            _site.Primary = start.Copy();
            var faulty = new FaultyObjectStore(_site.Primary) { CrashAt = write };
            try
            {
                await RepairAsync(faulty);
            }
            catch (Exception e) when (e is SimulatedCrashException or RepositoryException)
            {
                faulty.Crashed.ShouldBeTrue(e.Message);
            }

            var done = !faulty.Crashed;
            (await RepairAsync()).Unhealed.ShouldBeEmpty();
            (await _site.ShouldBeValidAsync(_site.Primary)).Count.ShouldBe(2);
            if (done) break;
        }
    }

    [Fact]
    public async Task When_an_object_cannot_be_made_anew_it_is_said_where_it_is()
    {
        await PrepareAsync();
        var pack = _site.Names(_site.Primary, "packs/").First();
        _site.Primary.Flip(pack, 60);
        var faulty = new FaultyObjectStore(_site.Primary);
        faulty.Add(new Fault(StoreOperation.Create, FaultKind.FailBefore) { Where = n => n == pack });
        var error = await Should.ThrowAsync<RepositoryException>(() => HealAsync(faulty));
        error.Message.ShouldContain("could not be created anew");
        error.Message.ShouldContain($"It is whole in {_site.Replica.Description}");
        (await HealAsync()).Healed.Select(h => h.Name).ShouldBe([pack]);
    }

    private async Task PrepareAsync()
    {
        await _site.InitAsync();
        var first = await _site.BackUpAsync(1, 2);
        await _site.BackUpAsync(2, 3);
        var repository = await _site.OpenAsync(_site.Primary);
        await repository.Snapshots.PinAsync(first.Id, "why", CancellationToken.None);
        await repository.Sealed.CreateAsync(SealedKind.WalSegment, Wal, default, RoundTripTests.Bytes(5000, 9), CancellationToken.None);
        await repository.Points.CreateAsync(
            new RecoveryPoint
            {
                Id = RunIds.Create(first.StartedAt, 7), StartedAt = first.StartedAt, CompletedAt = first.StartedAt, Host = "h", WrittenBy = "t",
                Outcome = "complete", Components = [new PointComponent { Component = first.Component, SnapshotId = first.Id }],
            },
            CancellationToken.None);
        await _site.ReplicateAsync();
    }

    private static List<string> Spoil(InMemoryObjectStore store, string kind, bool drop)
    {
        var parts = kind.Split('*');
        var names = store.Names.Where(n => kind == "config" ? n == kind
            : n.StartsWith(parts[0], StringComparison.Ordinal) && n.Contains(parts[^1], StringComparison.Ordinal)).ToList();
        names.ShouldNotBeEmpty();
        foreach (var name in names)
        {
            if (!drop) store.Flip(name, store.Get(name).Length / 2, 0x20);
            else store.DeleteAsync(name, CancellationToken.None).AsTask().GetAwaiter().GetResult();
        }

        return names;
    }

    private async Task<HealingReport> HealAsync(IObjectStore? primary = null)
    {
        var (keys, healed) = await KeyHealing.HealAsync(
            primary ?? _site.Primary, _site.Replica, s => KeyRingFactory.UnlockAsync(s, KeyCredential.Clear, CancellationToken.None), CancellationToken.None);
        using (keys)
        {
            var options = new HealingOptions { ReadAll = true, NeededStreams = (_, names, _) => ValueTask.FromResult(names) };
            var report = await new ReplicaHealing(keys, primary ?? _site.Primary, _site.Replica, options, _site.Clock).RunAsync(CancellationToken.None);
            return report with { Healed = [.. healed, .. report.Healed] };
        }
    }

    /// <summary>As the command does: first from the replica, then by the primary's own means.</summary>
    private async Task<HealingReport> RepairAsync(IObjectStore? primary = null)
    {
        var report = await HealAsync(primary);
        var repaired = await new RepositoryRepair(await _site.OpenAsync(primary ?? _site.Primary)).RunAsync(true, 2, CancellationToken.None);
        repaired.Damage.ShouldBeNull();
        return report;
    }
}
