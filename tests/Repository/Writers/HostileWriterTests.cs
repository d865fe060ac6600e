using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Collection;
using FunctionsBackup.Repository.Indexing;
using FunctionsBackup.Repository.Runs;
using FunctionsBackup.Repository.Sealing;
using FunctionsBackup.Tests.Repository.Collection;
using FunctionsBackup.Tests.Repository.Sessions;

namespace FunctionsBackup.Tests.Repository.Writers;

/// <summary>A writer's host in wrong hands: what it makes besides recovery points of its own counts for nothing.</summary>
public sealed class HostileWriterTests
{
    private static readonly Dictionary<string, byte[]> Files = new() { ["a"] = SampleData.Random(600_000, 1), ["b"] = SampleData.Text(50_000, 2) };

    [Theory]
    [InlineData(SealedKind.Pin, "pins/{0}")]
    [InlineData(SealedKind.CollectionMark, "collect/0123456789abcdef0123456789abcdef-1")]
    [InlineData(SealedKind.Removal, "removed/0123456789abcdef0123456789abcdef")]
    [InlineData(SealedKind.AnomalyDecision, "anomalies/{0}/decided-1")]
    [InlineData(SealedKind.AuditWriter, "audit/writers/0123456789abcdef0123456789abcdef")]
    public async Task Objects_that_steer_others_are_refused(SealedKind kind, string name)
    {
        await using var site = await WriterSite.CreateAsync();
        await using var reader = await site.OpenAsync();
        var snapshot = await reader.BackUpAsync(Files);
        name = string.Format(System.Globalization.CultureInfo.InvariantCulture, name, snapshot.Id);
        await using (var writer = await site.WriteAsync()) (await writer.Sealed.CreateAsync(kind, name, "\"x\""u8.ToArray(), "{}"u8.ToArray(), default)).ShouldBeTrue();
        (await Should.ThrowAsync<DamageException>(async () => await reader.Sealed.ReadAsync(kind, name, default))).Message.ShouldContain("write-only writer");
    }

    [Fact]
    public async Task A_mark_of_a_writer_condemns_nothing()
    {
        var clock = new ManualClock();
        await using var site = await WriterSite.CreateAsync(clock);
        await using var reader = await site.OpenAsync(clock);
        await reader.BackUpAsync(Files);
        var packs = site.Store.Names.Where(n => n.StartsWith("packs/", StringComparison.Ordinal)).ToList();
        await using (var writer = await site.WriteAsync(time: clock))
            await new CollectionMarks(site.Store, writer.Sealed).AddAsync(new CollectionMark(packs, 0), default);
        await using var later = await site.OpenAsync(clock);
        (await later.BackUpAsync(Files)).Statistics.NewBytes.ShouldBe(0, "the chunks are as usable as before");
        await new GarbageCollector(later).RunAsync(new CollectionOptions(), default);
        site.Store.Names.Where(n => n.StartsWith("packs/", StringComparison.Ordinal)).ShouldBe(packs, ignoreOrder: true);
    }

    [Fact]
    public async Task An_index_segment_of_a_writer_hides_nothing_and_names_nothing_of_others()
    {
        await using var site = await WriterSite.CreateAsync();
        await using var reader = await site.OpenAsync();
        var snapshot = await reader.BackUpAsync(Files);
        var theirs = reader.Index.Segments.Single();
        await using (var writer = await site.WriteAsync())
        {
            await writer.BackUpAsync(Files);
            var hiding = new IndexSegmentBuilder();
            hiding.Supersedes.Add(theirs.Name);
            var (name, bytes) = hiding.Build(writer.Keys);
            await site.Store.CreateAsync(name, bytes, default);
            var naming = new IndexSegmentBuilder();
            naming.AddBlock(theirs.Packs[0], theirs.Blocks[0].Offset, theirs.Blocks[0].StoredLength, theirs.Blocks[0].PlainLength);
            (name, bytes) = naming.Build(writer.Keys);
            await site.Store.CreateAsync(name, bytes, default);
        }

        await using var later = await site.OpenAsync();
        later.Index.Damaged.Count.ShouldBe(2);
        (await later.RestoreAsync(snapshot)).ShouldHold(Files);
    }

    [Fact]
    public async Task A_part_that_a_writer_put_into_anothers_run_is_not_taken()
    {
        await using var site = await WriterSite.CreateAsync();
        await using var reader = await site.OpenAsync();
        var runs = new BackupRuns(reader);
        var run = RunIds.Create(TimeProvider.System.GetUtcNow(), 7);
        await runs.BeginAsync(run, TimeProvider.System.GetUtcNow(), _ => ValueTask.FromResult<byte[]>([]), default);
        await using (var writer = await site.WriteAsync())
            await writer.Sealed.CreateAsync(SealedKind.RunPart, RunIds.Part(run, "u0"), default, "{}"u8.ToArray(), default);
        (await Should.ThrowAsync<DamageException>(async () => await runs.FindPartAsync(run, "u0", default))).Message.ShouldContain("write-only writer");
    }

    [Fact]
    public async Task What_is_put_back_from_a_writers_copy_still_says_whose_it_is()
    {
        await using var site = await WriterSite.CreateAsync();
        string id;
        await using (var writer = await site.WriteAsync()) id = (await writer.BackUpAsync(Files)).Id;
        await site.Store.DeleteAsync("snapshots/" + id, default);
        await using var reader = await site.OpenAsync();
        (await reader.MendLostAsync(default)).PutBack.ShouldContain("snapshots/" + id);
        await using var later = await site.OpenAsync();
        (await later.GetSnapshotAsync(id, null, default)).Writer.ShouldBe(site.File.Id);
        (await later.FindParentAsync("test", _ => true, default)).ShouldBeNull();
    }

    [Fact]
    public async Task Nobody_else_can_make_a_session_in_a_writers_name()
    {
        await using var site = await WriterSite.CreateAsync();
        // All that lies in the store, and the public key, but not the writer's secret.
        using var other = await WriterSite.AddAsync(site.Store, "agent 2");
        var forged = other.ToText().Replace($"\"{other.Id}\"", $"\"{site.File.Id}\"", StringComparison.Ordinal);
        using var file = FunctionsBackup.Repository.Writers.WriterFile.Parse(forged);
        file.Id.ShouldBe(site.File.Id);
        string id;
        await using (var writer = await site.WriteAsync(file)) id = (await writer.BackUpAsync(Files)).Id;
        await using var reader = await site.OpenAsync();
        (await Should.ThrowAsync<DamageException>(async () => await reader.GetSnapshotAsync(id, null, default))).Message.ShouldContain("did not make it");
    }
}
