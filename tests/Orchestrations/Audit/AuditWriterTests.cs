using FunctionsBackup.Operations.Audit;
using FunctionsBackup.Orchestrations.Audit;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Audit;
using FunctionsBackup.Storage;
using FunctionsBackup.Tests.Conformance;

namespace FunctionsBackup.Tests.Orchestrations.Audit;

/// <summary>Every entry is in the log once, whoever is killed where and whoever else writes.</summary>
public sealed class AuditWriterTests : IAsyncDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("fbackup-audit-").FullName;
    private readonly InMemoryObjectStore _store = new();
    private readonly List<string> _warnings = [];

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_path, recursive: true);
        return ValueTask.CompletedTask;
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_process_that_is_killed_at_any_write_loses_nothing_and_writes_nothing_twice(bool afterEffect)
    {
        for (var at = 1; ; at++)
        {
            var path = Directory.CreateDirectory(Path.Join(_path, $"{at}")).FullName;
            var store = new InMemoryObjectStore();
            await using (await TestRepository.CreateAsync(store)) await AddToAsync(path, "a", "b");
            var crashing = new FaultyObjectStore(store) { CrashAt = at, CrashAfterEffect = afterEffect };
            await Should.NotThrowAsync(async () =>
            {
                try
                {
                    await FlushAsync(crashing, path);
                }
                catch (SimulatedCrashException)
                {
                    crashing.Crashed.ShouldBeTrue();
                }
            });
            await AddToAsync(path, "c");
            await FlushAsync(store, path);
            (await NamesAsync(store)).ShouldBe(["a", "b", "c"], ignoreOrder: true, $"write {at}");
            await ShouldBeIntactAsync(store);
            Directory.GetFiles(Path.Join(path, "spool")).ShouldBeEmpty();
            if (crashing.Crashed) continue;
            at.ShouldBe(3); // the writer's record and the segment were each met
            break;
        }
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task Killed_after_its_segment_was_made_it_is_not_made_again(bool entriesAreLeft, bool headIsOld)
    {
        await using (await TestRepository.CreateAsync(_store)) await AddAsync("first");
        await FlushAsync(_store);
        await AddAsync("second", "third");
        var before = Copy();
        await FlushAsync(_store);
        // As the process left it, that was killed before it had tidied up.
        if (entriesAreLeft) Restore(before, "spool");
        if (headIsOld) Restore(before, Path.GetFileName(Directory.GetDirectories(_path).Single(d => !d.EndsWith("spool", StringComparison.Ordinal))));
        await AddAsync("fourth");
        await FlushAsync(_store);
        // With the head noted and entries left nobody can have been: entries go first.
        if (headIsOld || !entriesAreLeft) (await NamesAsync()).ShouldBe(["first", "second", "third", "fourth"], ignoreOrder: true);
        await ShouldBeIntactAsync();
    }

    [Fact]
    public async Task A_machine_that_forgot_how_far_its_chain_is_goes_on_with_it()
    {
        await using var repository = await TestRepository.CreateAsync(_store);
        foreach (var name in (string[])["first", "second", "third"])
        {
            await AddAsync(name);
            await FlushAsync(_store);
        }

        await AddAsync("fourth");
        var before = Copy();
        await FlushAsync(_store);
        Restore(before, "spool");
        File.Delete(Path.Join(_path, repository.Id, "chain.json"));
        await FlushAsync(_store);
        (await NamesAsync()).ShouldBe(["first", "second", "third", "fourth"], ignoreOrder: true);
        (await ShouldBeIntactAsync()).Chains.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Two_processes_never_fork_the_chain()
    {
        await using (await TestRepository.CreateAsync(_store))
        {
        }

        var names = new List<string>();
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async process =>
        {
            for (var i = 0; i < 25; i++)
            {
                lock (names) names.Add($"{process}-{i}");
                await AddAsync($"{process}-{i}");
                await FlushAsync(_store); // each with a folder, a repository and a writer of its own, as processes have
            }
        }));
        (await NamesAsync()).ShouldBe(names, ignoreOrder: true);
        var report = await ShouldBeIntactAsync();
        report.Chains.ShouldHaveSingleItem().Entries.ShouldBe(100);
    }

    [Fact]
    public async Task Two_machines_vouch_for_each_other()
    {
        await using var repository = await TestRepository.CreateAsync(_store);
        var other = Directory.CreateDirectory(Path.Join(_path, "other")).FullName;
        for (var i = 0; i < 3; i++)
        {
            await AddToAsync(_path, $"a{i}");
            await FlushAsync(_store);
            await AddToAsync(other, $"b{i}");
            await FlushAsync(_store, other);
        }

        var report = await ShouldBeIntactAsync();
        report.Chains.Count.ShouldBe(2);
        foreach (var chain in report.Chains.Take(1))
        {
            await _store.DeleteAsync(AuditNames.SegmentOf(chain.Writer, 2), default);
            await _store.DeleteAsync(AuditNames.SegmentOf(chain.Writer, 3), default);
            (await new AuditVerifier(repository).RunAsync([], null, default)).Breaks[0].ObjectName.ShouldBe(AuditNames.SegmentOf(chain.Writer, 2));
        }
    }

    [Fact]
    public async Task What_lies_in_its_place_stops_nobody()
    {
        await using var repository = await TestRepository.CreateAsync(_store);
        await AddAsync("first");
        await FlushAsync(_store);
        var writer = await repository.Audit.ListWritersAsync(default).SingleAsync();
        _store.Overwrite(AuditNames.SegmentOf(writer, 2), [1, 2, 3]);
        await AddAsync("second");
        await FlushAsync(_store);
        _warnings.ShouldContain(w => w.Contains(AuditNames.SegmentOf(writer, 2)));
        var report = await new AuditVerifier(repository).RunAsync([], null, default);
        report.Breaks.ShouldHaveSingleItem().ObjectName.ShouldBe(AuditNames.SegmentOf(writer, 2));
        (await repository.Audit.ReadAsync(writer, 3, default)).ShouldNotBeNull().Statement.Entries.ShouldBe(1);
    }

    [Fact]
    public async Task A_writer_whose_record_was_removed_is_vouched_for_again_and_somebody_is_told()
    {
        await using var repository = await TestRepository.CreateAsync(_store);
        await AddAsync("first");
        await FlushAsync(_store);
        var writer = await repository.Audit.ListWritersAsync(default).SingleAsync();
        await _store.DeleteAsync(AuditNames.WriterOf(writer), default);
        (await new AuditVerifier(repository).RunAsync([], null, default)).Breaks.ShouldHaveSingleItem().ObjectName.ShouldBe(AuditNames.WriterOf(writer));
        await AddAsync("second");
        await FlushAsync(_store);
        _warnings.ShouldHaveSingleItem().ShouldContain("made anew");
        await ShouldBeIntactAsync();
    }

    [Fact]
    public async Task The_private_key_is_its_owners_alone_and_is_never_in_the_repository()
    {
        await using var repository = await TestRepository.CreateAsync(_store);
        await AddAsync("first");
        await FlushAsync(_store);
        var file = AuditFolder.KeyFile(Path.Join(_path, repository.Id));
        File.GetUnixFileMode(file).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.GetUnixFileMode(_path).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        await AddAsync("second");
        await FlushAsync(_store);
        _warnings.ShouldHaveSingleItem().ShouldContain("Others could read");
        File.GetUnixFileMode(file).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [Fact]
    public async Task A_waiting_entry_that_was_spoilt_is_recorded_as_lost()
    {
        await using (await TestRepository.CreateAsync(_store)) await AddAsync("first");
        var file = Directory.GetFiles(Path.Join(_path, "spool")).Single();
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.WriteAllText(file, "{}");
        await FlushAsync(_store);
        var entry = (await EntriesAsync()).ShouldHaveSingleItem();
        (entry.Action, entry.Id).ShouldBe((AuditActions.AuditLost, Path.GetFileName(file)));
    }

    private Task AddAsync(params string[] targets) => AddToAsync(_path, targets);

    private static async Task AddToAsync(string path, params string[] targets)
    {
        await using var folder = new AuditFolder(path, TimeProvider.System);
        foreach (var target in targets)
            foreach (var entry in AuditEntries.Complete(
                new AuditEntry { Action = "test.run", Outcome = AuditOutcome.Done, Target = target }, TimeProvider.System.GetUtcNow(), "host", AuditActor.Schedule))
                (await new AuditSpool(folder).AddAsync(entry, CancellationToken.None)).ShouldBeTrue();
    }

    private async Task FlushAsync(IObjectStore store, string? path = null)
    {
        await using var folder = new AuditFolder(path ?? _path, TimeProvider.System);
        // Not disposed: the store goes on.
        var repository = await TestRepository.OpenAsync(store, new RepositoryOptions { LoadIndex = false });
        await new AuditWriter(repository, folder, TimeProvider.System, w => _warnings.Add(w)).FlushAsync(null, CancellationToken.None);
    }

    private async Task<List<AuditEntry>> EntriesAsync(InMemoryObjectStore? store = null)
    {
        var repository = await TestRepository.OpenAsync(store ?? _store);
        return await new AuditReader(repository).ReadAsync(new AuditFilter(), CancellationToken.None).Select(r => r.Entry).ToListAsync();
    }

    private async Task<List<string?>> NamesAsync(InMemoryObjectStore? store = null) => (await EntriesAsync(store)).ConvertAll(e => e.Target);

    private async Task<AuditReport> ShouldBeIntactAsync(InMemoryObjectStore? store = null)
    {
        var repository = await TestRepository.OpenAsync(store ?? _store);
        var report = await new AuditVerifier(repository).RunAsync([], null, CancellationToken.None);
        report.Breaks.ShouldBeEmpty();
        return report;
    }

    private string Copy()
    {
        var copy = Directory.CreateTempSubdirectory("fbackup-audit-copy-").FullName;
        foreach (var folder in Directory.GetDirectories(_path, "*", SearchOption.AllDirectories))
            Directory.CreateDirectory(Path.Join(copy, Path.GetRelativePath(_path, folder)));
        foreach (var file in Directory.GetFiles(_path, "*", SearchOption.AllDirectories)) File.Copy(file, Path.Join(copy, Path.GetRelativePath(_path, file)));
        return copy;
    }

    private void Restore(string copy, string folder)
    {
        Directory.Delete(Path.Join(_path, folder), recursive: true);
        Directory.Move(Path.Join(copy, folder), Path.Join(_path, folder));
    }
}
