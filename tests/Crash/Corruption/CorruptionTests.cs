using System.Collections.Concurrent;
using FunctionsBackup.Repository;
using FunctionsBackup.Tests.Crash.Host;
using Xunit.Abstractions;

namespace FunctionsBackup.Tests.Crash.Corruption;

/// <summary>
/// Every kind of object of a repository is flipped, cut, dropped and swapped. It is always detected, by opening the repository or by a full
/// verification, with the object's name; and what is restored is right or refused, never wrong.
/// </summary>
public sealed class CorruptionTests(Sample sample, ITestOutputHelper output) : IClassFixture<Sample>
{
    [Theory]
    [InlineData("config")]
    [InlineData("keys/")]
    [InlineData("packs/")]
    [InlineData("index/")]
    [InlineData("snapshots/")]
    [InlineData("pins/")]
    [InlineData("witness/")]
    [InlineData("wal/")]
    public async Task Damage_is_detected_named_and_never_restored(string prefix)
    {
        var names = sample.Store.Names.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).ToList();
        names.ShouldNotBeEmpty();
        var unnoticed = new ConcurrentBag<string>();
        var tried = 0;
        await Parallel.ForEachAsync(names.SelectMany(AllDamage), async (damage, token) =>
        {
            var (name, how) = damage;
            var store = sample.Store.Copy();
            if (how.Content is null) await store.DeleteAsync(name, token);
            else store.Overwrite(name, how.Content);
            var findings = await Findings.OfAsync(store, sample);
            Interlocked.Increment(ref tried);
            findings.Wrong.ShouldBeEmpty($"{name}, {how.How}");
            if (how.Content is null && IsUnwitnessed(name, findings)) return;
            if (!findings.Said.Any(said => said.Contains(name, StringComparison.Ordinal)))
                unnoticed.Add($"{name}, {how.How}: {string.Join(" | ", findings.Said)}");
        });
        output.WriteLine($"{prefix}: {names.Count} objects, {tried} damages");
        unnoticed.Order(StringComparer.Ordinal).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_damaged_sealed_object_is_refused_by_name()
    {
        foreach (var (kind, name) in sample.Sealed)
            foreach (var (_, damage) in AllDamage(name).Where(damage => damage.How.Content is not null))
            {
                var store = sample.Store.Copy();
                store.Overwrite(name, damage.Content);
                await using var repository = await Repositories.OpenAsync(store);
                var error = await Should.ThrowAsync<DamageException>(
                    async () => await repository.Sealed.ReadAsync(kind, name, CancellationToken.None), $"{name}, {damage.How}");
                error.ObjectName.ShouldBe(name);
            }
    }

    /// <summary>
    /// Objects whose loss is noticed from elsewhere: a gap in the WAL is found from the base backup that needs it, a lost index segment by the
    /// recovery points that need it. A witness that is gone is no loss: its object is there, and the next prune makes the witness anew.
    /// </summary>
    private static bool IsUnwitnessed(string name, Findings findings) => name.Split('/') switch
    {
        ["wal", ..] or ["keys", _, "witness", _] => true,
        ["index", ..] => findings.Said.Any(said => said.Contains("are in no pack", StringComparison.Ordinal)),
        _ => false,
    };

    [Fact]
    public async Task A_recovery_point_whose_record_is_gone_is_refused()
    {
        foreach (var id in sample.RecoveryPoints.Keys)
        {
            var store = sample.Store.Copy();
            await store.DeleteAsync("snapshots/" + id, CancellationToken.None);
            await using var repository = await Repositories.OpenAsync(store);
            var error = await Should.ThrowAsync<DamageException>(
                async () => await repository.GetSnapshotAsync(id, null, CancellationToken.None));
            error.ObjectName.ShouldBe("snapshots/" + id);
            error.Message.ShouldContain("fbackup repository repair");
        }
    }

    private IEnumerable<(string Name, Damage How)> AllDamage(string name)
    {
        // Its neighbours, which are of the same kind where there are several, and one of each other kind.
        var names = sample.Store.Names;
        var at = names.ToList().IndexOf(name);
        var others = new[] { names[(at + 1) % names.Count], names[(at + names.Count - 1) % names.Count] }
            .Concat(names.GroupBy(other => other.Split('/')[0]).Select(kind => kind.First()))
            .Distinct().Where(other => other != name).Select(other => (other, sample.Store.Get(other)));
        return Damage.All(sample.Store.Get(name), others, at).Select(damage => (name, damage));
    }
}
