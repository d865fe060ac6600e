using FunctionsBackup.Repository;
using FunctionsBackup.Tests.Conformance;

namespace FunctionsBackup.Tests.Repository.Replication;

/// <summary>Replication dies at every write: what the replica is then is a valid repository, and the next pass completes it.</summary>
public sealed class ReplicationCrashTests
{
    private readonly ReplicaSite _site = new();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task At_every_write_of_a_first_pass_the_replica_is_valid(bool afterEffect)
    {
        await _site.InitAsync();
        await _site.BackUpAsync(1, 2);
        await _site.BackUpAsync(2, 3);
        await DieAtEveryWriteAsync(afterEffect, beginsEmpty: true);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task At_every_write_that_follows_backups_prunes_merges_and_collections(bool afterEffect)
    {
        await _site.InitAsync();
        var old = await _site.BackUpAsync(1, 2);
        await _site.BackUpAsync(2, 3);
        await (await _site.OpenAsync(_site.Primary)).Snapshots.PinAsync(old.Id, "", CancellationToken.None);
        await _site.ReplicateAsync();
        await _site.RemoveAsync(old);
        await _site.BackUpAsync(4, 5);
        await DieAtEveryWriteAsync(afterEffect);
        _site.Clock.Jump(ReplicaSite.Grace * 1.1);
        (await _site.CollectAsync()).MarkedPacks.ShouldBeGreaterThan(0);
        await _site.BackUpAsync(1, 6);
        await DieAtEveryWriteAsync(afterEffect);
        _site.Clock.Jump(ReplicaSite.Grace * 1.1);
        (await _site.CollectAsync()).DeletedPacks.ShouldBeGreaterThan(0);
        var packs = _site.Names(_site.Replica, "packs/").Count();
        await DieAtEveryWriteAsync(afterEffect); // the mark came a grace time ago
        _site.Names(_site.Replica, "packs/").Count().ShouldBeLessThan(packs);
        _site.Clock.Jump(TimeSpan.FromDays(8));
        await _site.CollectAsync();
        await DieAtEveryWriteAsync(afterEffect);
        _site.Names(_site.Replica, "index/").ShouldBe(_site.Names(_site.Primary, "index/"));
    }

    [Fact]
    public async Task A_replica_that_was_not_reached_for_long_is_valid_at_every_write()
    {
        await _site.InitAsync();
        var old = await _site.BackUpAsync(1, 2);
        await _site.BackUpAsync(2, 3);
        await _site.ReplicateAsync();
        await _site.RemoveAsync(old);
        for (var round = 0; round < 4; round++)
        {
            _site.Clock.Jump(TimeSpan.FromDays(20)); // marks and segments come and go unseen
            await _site.CollectAsync();
            await _site.BackUpAsync(3, 10 + round);
        }

        for (var round = 0; round < 3; round++)
        {
            await DieAtEveryWriteAsync(afterEffect: false);
            _site.Clock.Jump(TimeSpan.FromDays(10));
        }

        (await _site.LagAsync()).MissingObjects.ShouldBe(0);
    }

    /// <summary>Dies at the first, second, … write from where the replica is now; then makes the pass that lives.</summary>
    private async Task DieAtEveryWriteAsync(bool afterEffect, bool beginsEmpty = false)
    {
        var start = _site.Replica;
        var known = start.Names.Contains("config") ? await _site.ShouldBeValidAsync(start) : [];
        var gone = (await _site.OpenAsync(_site.Primary)).ListSnapshotsAsync(null, CancellationToken.None);
        var primary = await gone.Select(s => s.Id).ToHashSetAsync();
        for (var write = 1; ; write++)
        {
            var replica = start.Copy();
            var faulty = new FaultyObjectStore(replica) { CrashAt = write, CrashAfterEffect = afterEffect };
            var died = false;
            try
            {
                await _site.ReplicateAsync(faulty);
            }
            catch (SimulatedCrashException)
            {
                died = true;
            }

            if (!died && !faulty.Crashed)
            {
                write.ShouldBeGreaterThan(1, "nothing was written");
                break;
            }

            if (!replica.Names.Contains("config"))
            {
                beginsEmpty.ShouldBeTrue();
                await Should.ThrowAsync<NotARepositoryException>(() => _site.OpenAsync(replica));
            }
            else
            {
                (await _site.ShouldBeValidAsync(replica)).ShouldBeSubsetOf([.. known, .. primary]);
                replica.Names.Count(n => n.StartsWith("snapshots/", StringComparison.Ordinal) && primary.Contains(n[10..]))
                    .ShouldBeGreaterThanOrEqualTo(known.Count(primary.Contains), "what was there and is not removed stays");
            }

            var next = replica.Copy();
            await _site.ReplicateAsync(next);
            (await _site.ShouldBeValidAsync(next)).ShouldBe(primary, ignoreOrder: true);
        }

        _site.Replica = start.Copy();
        await _site.ReplicateAsync();
        (await _site.ShouldBeValidAsync(_site.Replica)).ShouldBe(primary, ignoreOrder: true);
    }
}
