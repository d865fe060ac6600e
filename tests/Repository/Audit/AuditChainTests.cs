using System.Text;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Audit;
using FunctionsBackup.Repository.Sealing;
using FunctionsBackup.Tests.Conformance;

namespace FunctionsBackup.Tests.Repository.Audit;

/// <summary>Whatever is done to the log is found and named, or is one of the few things that FORMAT.md §9 says cannot be found.</summary>
public sealed class AuditChainTests : IAsyncLifetime
{
    private readonly InMemoryObjectStore _store = new();
    private readonly AuditSigner _signer = AuditSigner.Create();
    private BackupRepository _repository = null!;

    private string Writer => _signer.Writer;

    public async Task InitializeAsync() => _repository = await TestRepository.CreateAsync(_store);

    public async Task DisposeAsync()
    {
        _signer.Dispose();
        await _repository.DisposeAsync();
    }

    [Fact]
    public async Task A_chain_that_nobody_touched_holds()
    {
        var heads = await WriteAsync(_signer, 5);
        var report = await VerifyAsync();
        report.BreakCount.ShouldBe(0);
        report.Notes.ShouldBeEmpty();
        var chain = report.Chains.ShouldHaveSingleItem();
        (chain.Segments, chain.Entries, chain.Head).ShouldBe((5, 10, heads[^1]));
        var segment = (await _repository.Audit.ReadAsync(Writer, 3, default)).ShouldNotBeNull();
        segment.Lines().Select(l => Encoding.UTF8.GetString(l.Span)).ShouldBe(["{\"id\":\"3a\"}", "{\"id\":\"3b\"}"]);
    }

    [Fact]
    public async Task A_number_is_given_once()
    {
        var heads = await WriteAsync(_signer, 2);
        (await AppendAsync(_signer, heads[0], "late")).ShouldBeNull();
        (await VerifyAsync()).BreakCount.ShouldBe(0);
    }

    [Fact]
    public async Task Every_flipped_bit_is_found()
    {
        await WriteAsync(_signer, 3);
        var name = AuditNames.SegmentOf(Writer, 2);
        for (var at = 0L; at < _store.Get(name).Length; at += 7)
        {
            _store.Flip(name, at);
            (await FirstBreakAsync()).ObjectName.ShouldBe(name, $"byte {at}");
            _store.Flip(name, at);
        }

        (await VerifyAsync()).BreakCount.ShouldBe(0);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(63)]
    [InlineData(200)]
    [InlineData(-1)]
    public async Task A_cut_segment_is_found(int length)
    {
        await WriteAsync(_signer, 3);
        var name = AuditNames.SegmentOf(Writer, 2);
        var content = _store.Get(name);
        _store.Overwrite(name, content.AsSpan(0, length < 0 ? content.Length - 1 : length));
        (await FirstBreakAsync()).ObjectName.ShouldBe(name);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_removed_segment_is_found_and_named(int sequence)
    {
        await WriteAsync(_signer, 5);
        await _store.DeleteAsync(AuditNames.SegmentOf(Writer, sequence), default);
        var report = await VerifyAsync();
        report.Breaks.ShouldHaveSingleItem().ObjectName.ShouldBe(AuditNames.SegmentOf(Writer, sequence));
        report.Breaks[0].Problem.ShouldContain("is missing");
    }

    [Fact]
    public async Task Several_removed_segments_are_one_gap()
    {
        await WriteAsync(_signer, 6);
        for (var i = 2; i <= 4; i++) await _store.DeleteAsync(AuditNames.SegmentOf(Writer, i), default);
        (await FirstBreakAsync()).Problem.ShouldContain("is missing, and so are the 2 after it");
    }

    [Fact]
    public async Task Swapped_segments_are_found()
    {
        await WriteAsync(_signer, 4);
        var (a, b) = (AuditNames.SegmentOf(Writer, 2), AuditNames.SegmentOf(Writer, 3));
        var (contentA, contentB) = (_store.Get(a), _store.Get(b));
        _store.Overwrite(a, contentB);
        _store.Overwrite(b, contentA);
        var report = await VerifyAsync();
        report.Breaks.Select(f => f.ObjectName).ShouldBe([a, b]);
    }

    [Fact]
    public async Task An_old_segment_under_a_new_number_is_found()
    {
        await WriteAsync(_signer, 3);
        _store.Overwrite(AuditNames.SegmentOf(Writer, 4), _store.Get(AuditNames.SegmentOf(Writer, 2)));
        (await FirstBreakAsync()).ObjectName.ShouldBe(AuditNames.SegmentOf(Writer, 4));
    }

    [Fact]
    public async Task An_old_segment_sealed_anew_with_the_repositorys_key_is_found()
    {
        await WriteAsync(_signer, 3);
        var content = (await _repository.Sealed.ReadAsync(SealedKind.AuditSegment, AuditNames.SegmentOf(Writer, 2), default)).ShouldNotBeNull();
        await _repository.Sealed.CreateAsync(SealedKind.AuditSegment, AuditNames.SegmentOf(Writer, 4), content.Header, content.Body, default);
        var found = await FirstBreakAsync();
        found.ObjectName.ShouldBe(AuditNames.SegmentOf(Writer, 4));
        found.Problem.ShouldContain("it is segment 2");
    }

    [Fact]
    public async Task A_segment_of_another_repository_is_found_even_if_it_was_sealed_anew()
    {
        await WriteAsync(_signer, 1);
        await using var other = await TestRepository.CreateAsync();
        var first = await WriteAsync(other, _signer, 2);
        var name = AuditNames.SegmentOf(Writer, 2);
        var foreign = (InMemoryObjectStore)other.Store;
        _store.Overwrite(name, foreign.Get(name));
        (await FirstBreakAsync()).ObjectName.ShouldBe(name);

        await _store.DeleteAsync(name, default);
        var content = (await other.Sealed.ReadAsync(SealedKind.AuditSegment, name, default)).ShouldNotBeNull();
        await _repository.Sealed.CreateAsync(SealedKind.AuditSegment, name, content.Header, content.Body, default);
        (await FirstBreakAsync()).Problem.ShouldContain($"belongs to the repository {other.Id}");
        first.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Who_holds_the_repositorys_key_alone_forges_nothing()
    {
        var heads = await WriteAsync(_signer, 2);
        using var forger = AuditSigner.Create();
        // As another writer, whose key it is not …
        await AppendAsync(forger, AuditHead.Before(forger.Writer), "x");
        var name = AuditNames.SegmentOf(forger.Writer, 1);
        var content = (await _repository.Sealed.ReadAsync(SealedKind.AuditSegment, name, default)).ShouldNotBeNull();
        var target = AuditNames.SegmentOf(Writer, 3);
        await _repository.Sealed.CreateAsync(SealedKind.AuditSegment, target, content.Header, content.Body, default);
        await _store.DeleteAsync(name, default);
        (await FirstBreakAsync()).ObjectName.ShouldBe(target);
        await _store.DeleteAsync(target, default);

        // … or with the true writer's statement and key, and a signature of one's own, or other entries.
        foreach (var (change, why) in (((byte[] Header, byte[] Body) Forged, string Why)[])
            [
                (await ForgeAsync(s => s.Replace("\"entries\":2", "\"entries\":3", StringComparison.Ordinal), forger), "has not signed it"),
                (await ForgeAsync(s => s, null), "not those that its writer signed"),
            ])
        {
            await _store.DeleteAsync(AuditNames.SegmentOf(Writer, 2), default);
            await _repository.Sealed.CreateAsync(SealedKind.AuditSegment, AuditNames.SegmentOf(Writer, 2), change.Header, change.Body, default);
            var found = await FirstBreakAsync();
            found.ObjectName.ShouldBe(AuditNames.SegmentOf(Writer, 2));
            found.Problem.ShouldContain(why);
        }

        heads.Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_writer_that_nobody_vouches_for_is_found()
    {
        await AppendAsync(_signer, AuditHead.Before(Writer), "x");
        (await FirstBreakAsync()).ObjectName.ShouldBe(AuditNames.WriterOf(Writer));
        await _repository.Sealed.CreateAsync(
            SealedKind.AuditWriter, AuditNames.WriterOf(Writer), default, Encoding.UTF8.GetBytes(
                $$"""{"writer":"{{Writer}}","host":"h","introducedAt":"2026-11-26T00:00:00Z","key":"{{Convert.ToBase64String(_signer.PublicKey)}}","mac":"AAAA"}"""), default);
        (await FirstBreakAsync()).Problem.ShouldContain("does not vouch");
    }

    [Fact]
    public async Task What_does_not_belong_into_the_log_is_named()
    {
        await WriteAsync(_signer, 1);
        _store.Overwrite("audit/segments/other", [1]);
        (await FirstBreakAsync()).ObjectName.ShouldBe("audit/segments/other");
    }

    [Fact]
    public async Task A_chain_that_lost_its_end_is_found_by_whoever_has_seen_it()
    {
        using var other = AuditSigner.Create();
        var heads = await WriteAsync(_signer, 5);
        await WriteAsync(_repository, other, 1, [heads[3]]);
        await _store.DeleteAsync(AuditNames.SegmentOf(Writer, 5), default);
        (await VerifyAsync()).BreakCount.ShouldBe(0); // nobody has seen the last one
        (await VerifyAsync(new KnownHead(heads[4], "points/x"))).Breaks.ShouldHaveSingleItem().Problem.ShouldContain("points/x has seen it");
        await _store.DeleteAsync(AuditNames.SegmentOf(Writer, 4), default);
        var found = await FirstBreakAsync();
        found.ObjectName.ShouldBe(AuditNames.SegmentOf(Writer, 4));
        found.Problem.ShouldContain(AuditNames.SegmentOf(other.Writer, 1));
    }

    [Fact]
    public async Task A_chain_that_was_removed_as_a_whole_is_found_by_whoever_has_seen_it()
    {
        using var other = AuditSigner.Create();
        var heads = await WriteAsync(_signer, 2);
        await WriteAsync(_repository, other, 1, [heads[1]]);
        for (var i = 1; i <= 2; i++) await _store.DeleteAsync(AuditNames.SegmentOf(Writer, i), default);
        await _store.DeleteAsync(AuditNames.WriterOf(Writer), default);
        (await FirstBreakAsync()).ObjectName.ShouldBe(AuditNames.SegmentOf(Writer, 1));
    }

    [Fact]
    public async Task An_end_that_its_own_writer_wrote_anew_is_found_by_whoever_has_seen_the_first()
    {
        using var other = AuditSigner.Create();
        var heads = await WriteAsync(_signer, 3);
        await WriteAsync(_repository, other, 1, [heads[2]]);
        await _store.DeleteAsync(AuditNames.SegmentOf(Writer, 3), default);
        await AppendAsync(_signer, heads[1], "another truth");
        var found = await FirstBreakAsync();
        found.ObjectName.ShouldBe(AuditNames.SegmentOf(Writer, 3));
        found.Problem.ShouldContain("another segment than the one that");
    }

    [Fact]
    public async Task A_writer_with_a_record_and_no_segment_is_a_note()
    {
        await _repository.Audit.IntroduceAsync(_signer, "host", TimeProvider.System.GetUtcNow(), default);
        var report = await VerifyAsync();
        report.BreakCount.ShouldBe(0);
        report.Notes.ShouldHaveSingleItem().ShouldContain(Writer);
    }

    [Fact]
    public async Task Ten_thousand_entries_are_verified_one_segment_after_the_other()
    {
        var head = AuditHead.Before(Writer);
        await _repository.Audit.IntroduceAsync(_signer, "host", TimeProvider.System.GetUtcNow(), default);
        for (var i = 0; i < 1000; i++)
        {
            var lines = Enumerable.Range(0, 10).Select(n => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes($"{{\"id\":\"{i}-{n}\"}}")).ToList();
            head = (await _repository.Audit.AppendAsync(_signer, head, lines, [], "host", TimeProvider.System.GetUtcNow(), default)).ShouldNotBeNull();
        }

        var seen = 0L;
        var report = await new AuditVerifier(_repository).RunAsync(
            [],
            segment =>
            {
                segment.Head.Sequence.ShouldBe(++seen);
                return ValueTask.CompletedTask;
            },
            default);
        (report.BreakCount, report.Entries, seen).ShouldBe((0, 10_000, 1000));
    }

    [Fact]
    public async Task Reading_believes_no_statement_that_makes_no_sense()
    {
        string[] statements =
        [
            "", "null", "{}", "[]", "nonsense", """{"magic":"FunctionsBackup audit segment"}""",
            $$"""{"magic":"FunctionsBackup audit segment","version":1,"repository":"{{_repository.Id}}","writer":"{{Writer}}","key":"AA==","sequence":1,"previous":"x","sealedAt":"2026-11-26T00:00:00Z","host":"h","entries":-1,"body":"","heads":[null]}""",
        ];
        foreach (var statement in statements)
        {
            var name = AuditNames.SegmentOf(Writer, 1);
            await _store.DeleteAsync(name, default);
            await _repository.Sealed.CreateAsync(SealedKind.AuditSegment, name, (byte[])[.. Encoding.UTF8.GetBytes(statement), .. new byte[64]], default, default);
            await Should.ThrowAsync<DamageException>(async () => await _repository.Audit.ReadAsync(Writer, 1, default));
        }
    }

    private async Task<(byte[] Header, byte[] Body)> ForgeAsync(Func<string, string> change, AuditSigner? forger)
    {
        var content = (await _repository.Sealed.ReadAsync(SealedKind.AuditSegment, AuditNames.SegmentOf(Writer, 2), default)).ShouldNotBeNull();
        var statement = Encoding.UTF8.GetBytes(change(Encoding.UTF8.GetString(content.Header.AsSpan(0, content.Header.Length - 64))));
        return forger is null
            ? (content.Header, Encoding.UTF8.GetBytes("{\"id\":\"2a\"}\n{\"id\":\"2c\"}\n"))
            : ([.. statement, .. forger.Sign(statement)], content.Body);
    }

    private Task<List<AuditHead>> WriteAsync(AuditSigner signer, int segments) => WriteAsync(_repository, signer, segments);

    private static async Task<List<AuditHead>> WriteAsync(BackupRepository repository, AuditSigner signer, int segments, IReadOnlyList<AuditHead>? seen = null)
    {
        await repository.Audit.IntroduceAsync(signer, "host", TimeProvider.System.GetUtcNow(), default);
        var heads = new List<AuditHead>();
        for (var i = 1; i <= segments; i++)
        {
            var after = heads.Count > 0 ? heads[^1] : AuditHead.Before(signer.Writer);
            ReadOnlyMemory<byte>[] lines = [Encoding.UTF8.GetBytes($"{{\"id\":\"{i}a\"}}"), Encoding.UTF8.GetBytes($"{{\"id\":\"{i}b\"}}")];
            heads.Add((await repository.Audit.AppendAsync(
                signer, after, lines, seen ?? [], "host", TimeProvider.System.GetUtcNow(), default)).ShouldNotBeNull());
        }

        return heads;
    }

    private async Task<AuditHead?> AppendAsync(AuditSigner signer, AuditHead after, string id) => await _repository.Audit.AppendAsync(
        signer, after, [Encoding.UTF8.GetBytes($"{{\"id\":\"{id}\"}}")], [], "host", TimeProvider.System.GetUtcNow(), default);

    private async Task<AuditReport> VerifyAsync(params KnownHead[] known) => await new AuditVerifier(_repository).RunAsync(known, null, default);

    private async Task<AuditBreak> FirstBreakAsync() => (await VerifyAsync()).Breaks.ShouldNotBeEmptyFirst();
}

internal static class AuditBreaks
{
    public static AuditBreak ShouldNotBeEmptyFirst(this IReadOnlyList<AuditBreak> breaks)
    {
        breaks.ShouldNotBeEmpty();
        return breaks[0];
    }
}
