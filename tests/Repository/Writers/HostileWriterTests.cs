using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Audit;
using FunctionsBackup.Repository.Collection;
using FunctionsBackup.Repository.Indexing;
using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Repository.Replication;
using FunctionsBackup.Repository.Runs;
using FunctionsBackup.Repository.Sealing;
using FunctionsBackup.Tests.Conformance;
using FunctionsBackup.Tests.Repository.Collection;
using FunctionsBackup.Tests.Repository.Keys;
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

    [Fact]
    public async Task The_place_of_anothers_recovery_point_cannot_be_taken_unnoticed()
    {
        await using var site = await WriterSite.CreateAsync();
        await using var reader = await site.OpenAsync();
        var run = RunIds.Create(TimeProvider.System.GetUtcNow(), 7);
        var plan = await new BackupRuns(reader).BeginAsync(run, TimeProvider.System.GetUtcNow(), _ => ValueTask.FromResult<byte[]>([]), default);
        var unit = await new BackupRuns(reader).JoinAsync(run, "test.0001", default);
        await using (var session = reader.BeginSession(SessionTestExtensions.Options with { Unit = unit }))
        {
            await session.AddFilesAsync(reader, Files);
            await session.CommitAsync(SessionTestExtensions.Draft(), default);
        }

        // It guesses the id, and takes it, and the name of the record that joins.
        var id = RunIds.SnapshotId(plan.Token, "test");
        await using (var writer = await site.WriteAsync())
        {
            var theirs = await writer.BackUpAsync(new Dictionary<string, byte[]> { ["evil"] = [6] });
            (await writer.Snapshots.TryCommitAsync(theirs with { Id = id }, default)).ShouldBeTrue();
            await writer.Sealed.CreateAsync(
                SealedKind.RecoveryPoint, "points/" + run, default,
                System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(
                    new RecoveryPoint
                    {
                        Id = run, StartedAt = default, CompletedAt = default, Host = "x", WrittenBy = "x", Outcome = "complete",
                        Components = [new PointComponent { Component = "test", SnapshotId = theirs.Id }],
                    },
                    RunJson.Default.RecoveryPoint),
                default);
        }

        var commit = (await RunCommit.OpenAsync(reader, run, default)).ShouldNotBeNull();
        (await Should.ThrowAsync<DamageException>(async () => await commit.CommitAsync("test", ["test.0001"], _ => null, default))).Message
            .ShouldContain(site.File.Id);
        (await reader.Points.FindAsync(run, default))!.Writer.ShouldBe(site.File.Id);
        await new BackupRuns(reader).RemoveAsync(run, default);
        await Should.ThrowAsync<RepositoryException>(async () => await RunCommit.OpenAsync(reader, run, default), "their record is not the end of our run");
    }

    [Fact]
    public async Task What_somebody_puts_in_the_place_of_a_removal_removes_nobody_and_keeps_nobody_in()
    {
        await using var site = await WriterSite.CreateAsync();
        string id;
        await using (var writer = await site.WriteAsync()) id = (await writer.BackUpAsync(Files)).Id;
        var name = site.Store.Names.Single(n => n.EndsWith("writers/" + site.File.Id, StringComparison.Ordinal)) + ".removed";
        await site.Store.CreateAsync(name, "{}"u8.ToArray(), default);
        await using (var reader = await site.OpenAsync())
        {
            (await reader.RestoreAsync(await reader.GetSnapshotAsync(id, null, default))).ShouldHold(Files);
            (await WriterTests.VerifyAsync(reader)).ShouldContain(d => d.ObjectName == name);
        }

        var administration = new FunctionsBackup.Repository.Writers.WriterAdministration(site.Store, TimeProvider.System);
        (await administration.ListAsync(NewRepository.Passphrase, default)).Single().Problem.ShouldNotBeNull();
        (await administration.RemoveAsync(NewRepository.Passphrase, site.File.Id, default)).ShouldBe(1);
        (await administration.ListAsync(NewRepository.Passphrase, default)).Single().RemovedAt.ShouldNotBeNull();
        await using var later = await site.OpenAsync();
        (await later.RestoreAsync(await later.GetSnapshotAsync(id, null, default))).ShouldHold(Files);
        (await WriterTests.VerifyAsync(later)).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_tombstone_that_it_makes_destroys_no_key_anywhere(bool isSealed)
    {
        await using var site = await WriterSite.CreateAsync();
        FunctionsBackup.Repository.Subjects.SubjectRef subject;
        await using (var reader = await site.OpenAsync()) subject = (await reader.Subjects.GetCurrentAsync("alice", default)).Key.Reference;
        var replica = new InMemoryObjectStore();
        await using (var primary = await site.OpenAsync()) await new Replicator(primary, replica, new ReplicationOptions()).RunAsync(null, default);
        await using (var writer = await site.WriteAsync())
        {
            if (isSealed) await writer.Sealed.CreateAsync(SealedKind.Tombstone, subject.TombstoneName, default, "{}"u8.ToArray(), default);
            else await site.Store.CreateAsync(subject.TombstoneName, new byte[200], default);
        }

        await using (var primary = await site.OpenAsync()) await new Replicator(primary, replica, new ReplicationOptions()).RunAsync(null, default);
        using (var keys = await KeyRingFactory.UnlockAsync(site.Store, NewRepository.Passphrase, default))
            await new ReplicaHealing(keys, site.Store, replica, new HealingOptions(), TimeProvider.System).RunAsync(default);
        site.Store.Names.ShouldContain(subject.KeyName);
        replica.Names.ShouldContain(subject.KeyName);
        replica.Names.ShouldNotContain(subject.TombstoneName);
        await using var later = await site.OpenAsync();
        (await WriterTests.VerifyAsync(later)).ShouldContain(d => d.ObjectName == subject.TombstoneName);
        // Backups go on, with another key; and an erasure is one.
        (await later.Subjects.GetCurrentAsync("alice", default)).Key.Reference.Generation.ShouldBe(2u);
        await new FunctionsBackup.Repository.Subjects.SubjectErasure(later).EraseAsync(
            await later.Subjects.ListAsync("alice", [], default), new FunctionsBackup.Repository.Subjects.Tombstone(default, "tests", null), default);
        site.Store.Names.ShouldNotContain(n => n.StartsWith("subjects/", StringComparison.Ordinal));
        await using var last = await site.OpenAsync();
        (await last.Subjects.FindAsync(subject, default)).ErasedAt.ShouldNotBeNull();
        (await WriterTests.VerifyAsync(last)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Heads_of_others_that_it_claims_are_believed_by_nobody()
    {
        await using var site = await WriterSite.CreateAsync();
        await using var reader = await site.OpenAsync();
        using var signer = AuditSigner.Create();
        await reader.Audit.IntroduceAsync(signer, "admin", default, default);
        var head = (await reader.Audit.AppendAsync(signer, AuditHead.Before(signer.Writer), ["{}"u8.ToArray()], [], "admin", default, default)).ShouldNotBeNull();
        var false1 = head with { Hash = new string('a', 64) };
        var false2 = head with { Sequence = 7 };
        await using (var writer = await site.WriteAsync())
            (await writer.Audit.AppendAsync(
                site.File.Signer, AuditHead.Before(site.File.Signer.Writer), ["{}"u8.ToArray()], [false1, false2], "agent", default, default)).ShouldNotBeNull();
        var report = await new AuditVerifier(reader).RunAsync([], null, default);
        report.Breaks.ShouldBeEmpty();
        report.Chains.Count.ShouldBe(2);
        // What a holder of the keys has seen still counts.
        await reader.Audit.AppendAsync(signer, head, ["{}"u8.ToArray()], [new AuditHead(site.File.Signer.Writer, 2, new string('b', 64))], "admin", default, default);
        (await new AuditVerifier(reader).RunAsync([], null, default)).BreakCount.ShouldBe(1);
    }
}
