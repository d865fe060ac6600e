using System.Text;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Catalogs;
using FunctionsBackup.Repository.Contents;
using FunctionsBackup.Repository.Snapshots;
using FunctionsBackup.Repository.Subjects;
using FunctionsBackup.Tests.Conformance;
using FunctionsBackup.Tests.Repository.Sessions;

namespace FunctionsBackup.Tests.Repository.Subjects;

/// <summary>The keys of data subjects in the repository.</summary>
public sealed class ErasureTests
{
    private static readonly byte[] Content = SampleData.Text(3_000_000, 5);
    private readonly InMemoryObjectStore _store = new();

    [Fact]
    public async Task Equal_contents_are_stored_once_for_one_subject_and_apart_for_two()
    {
        var repository = await TestRepository.CreateAsync(_store);
        var (_, first) = await StoreAsync(repository, "alice", Content);
        first.Statistics.NewBytes.ShouldBeGreaterThan(10_000);
        (await StoreAsync(await TestRepository.OpenAsync(_store), "alice", Content)).Snapshot.Statistics.NewBytes.ShouldBeLessThan(3_000, "only the catalog is new");
        (await StoreAsync(await TestRepository.OpenAsync(_store), "bob", Content)).Snapshot.Statistics.NewBytes.ShouldBeGreaterThan(10_000);
        (await StoreAsync(await TestRepository.OpenAsync(_store), null, Content)).Snapshot.Statistics.NewBytes.ShouldBeGreaterThan(1_000_000);
        first.Statistics.StoredBytes.ShouldBeLessThan(Content.Length / 2, "it is compressed before it is sealed");
    }

    [Fact]
    public async Task Two_writers_at_once_use_one_key()
    {
        await TestRepository.CreateAsync(_store);
        var keys = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            var repository = await TestRepository.OpenAsync(_store);
            return (await repository.Subjects.GetCurrentAsync("alice", default)).Key.Reference;
        })));
        keys.Distinct().Count().ShouldBe(1);
        _store.Names.Count(n => n.StartsWith("subjects/", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Fact]
    public async Task A_backup_that_holds_the_key_while_it_is_destroyed_adds_nothing_that_can_be_read()
    {
        var repository = await TestRepository.CreateAsync(_store);
        await using var session = repository.BeginSession(SessionTestExtensions.Options);
        var key = (await repository.Subjects.GetCurrentAsync("alice", default)).Key;
        await EraseAsync(await TestRepository.OpenAsync(_store), "alice");
        var content = await session.StoreAsync(new BytesSource(Content), new ContentOptions { Subject = key }, default);
        await session.Catalog.AddAsync(Entry("f", content, key.Reference), default);
        await session.CommitAsync(SessionTestExtensions.Draft(), default);
        var later = await TestRepository.OpenAsync(_store);
        (await later.Subjects.FindAsync(key.Reference, default)).ShouldBe(new SubjectLookup(null, (await later.Subjects.FindTombstoneAsync(key.Reference, default))!.At));
        (await later.Subjects.GetCurrentAsync("alice", default)).Key.Reference.Generation.ShouldBe(2u);
        (await Writers.WriterTests.VerifyAsync(later)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Broken_off_anywhere_the_key_is_used_no_more_or_nothing_has_happened_and_another_call_ends_it()
    {
        for (var at = 0; ; at++)
        {
            var inner = new InMemoryObjectStore();
            var repository = await TestRepository.CreateAsync(inner);
            var (reference, _) = await StoreAsync(repository, "alice", Content[..2000]);
            await using var store = new FaultyObjectStore(inner);
            var breaking = await TestRepository.OpenAsync(store);
            var fault = new Fault(null, FaultKind.Vanish) { Skip = at };
            store.Add(fault);
            var broken = false;
            try
            {
                await EraseAsync(breaking, "alice");
            }
            catch (Exception e) when (e is FunctionsBackup.Storage.StoreException or RepositoryException)
            {
                broken = true;
            }

            var after = await TestRepository.OpenAsync(inner);
            var begun = inner.Names.Contains(reference.TombstoneName);
            var found = await after.Subjects.FindAsync(reference, default);
            (found.Key is null).ShouldBe(begun, "a tombstone is enough");
            if (!inner.Names.Contains(reference.KeyName)) begun.ShouldBeTrue("the tombstone comes first");
            await EraseAsync(await TestRepository.OpenAsync(inner), "alice");
            inner.Names.ShouldNotContain(reference.KeyName);
            (await (await TestRepository.OpenAsync(inner)).Subjects.FindAsync(reference, default)).ErasedAt.ShouldNotBeNull();
            if (!broken) break;
            at.ShouldBeLessThan(100);
        }
    }

    [Fact]
    public async Task Names_of_subjects_are_nowhere_in_the_store_and_pseudonyms_belong_to_one_repository()
    {
        var repository = await TestRepository.CreateAsync(_store);
        await StoreAsync(repository, "alice-PLANTED", Content[..5000]);
        await EraseAsync(repository, "alice-PLANTED");
        foreach (var name in _store.Names)
        {
            name.ShouldNotContain("PLANTED");
            _store.Get(name).AsSpan().IndexOf("PLANTED"u8).ShouldBe(-1, name);
        }

        var other = await TestRepository.CreateAsync(new InMemoryObjectStore());
        other.Subjects.PseudonymOf("alice-PLANTED").ShouldNotBe(repository.Subjects.PseudonymOf("alice-PLANTED"));
    }

    private static async Task<StoreErasure> EraseAsync(BackupRepository repository, string subject) =>
        await new SubjectErasure(repository).EraseAsync(
            await repository.Subjects.ListAsync(subject, [], default), new Tombstone(TimeProvider.System.GetUtcNow(), "tests", "1"), default);

    private static async Task<(SubjectRef Reference, Snapshot Snapshot)> StoreAsync(BackupRepository repository, string? subject, byte[] bytes)
    {
        await using var session = repository.BeginSession(SessionTestExtensions.Options);
        var key = subject is null ? null : (await repository.Subjects.GetCurrentAsync(subject, default)).Key;
        var content = await session.StoreAsync(new BytesSource(bytes), new ContentOptions { Subject = key }, default);
        content.Size.ShouldBe(bytes.Length);
        await session.Catalog.AddAsync(Entry("f", content, key?.Reference), default);
        return (key?.Reference ?? default, await session.CommitAsync(SessionTestExtensions.Draft(), default));
    }

    private static CatalogEntry Entry(string path, ContentRef content, SubjectRef? subject) =>
        new() { Path = Encoding.UTF8.GetBytes(path), Kind = EntryKind.File, Content = content, Subject = subject };
}
