using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Damage;
using FunctionsBackup.Repository.Indexing;
using FunctionsBackup.Repository.Snapshots;
using FunctionsBackup.Repository.Verification;
using FunctionsBackup.Tests.Conformance;
using FunctionsBackup.Tests.Repository.Sessions;

namespace FunctionsBackup.Tests.Repository.Verification;

/// <summary>A full verification finds index entries that are sealed as they should be and say what is not true.</summary>
public sealed class IndexComparisonTests
{
    private static readonly Dictionary<string, byte[]> Files = Enumerable.Range(0, 12)
        .ToDictionary(i => $"f{i:D2}", i => RoundTripTests.Bytes(40_000 + i, i));

    [Theory]
    [InlineData("offset")]
    [InlineData("length")]
    [InlineData("block")]
    [InlineData("chunk")]
    public async Task An_entry_that_does_not_fit_its_pack_is_named_with_what_it_touches(string wrong)
    {
        var store = new InMemoryObjectStore();
        var repository = await TestRepository.CreateAsync(store);
        await repository.BackUpAsync(new Dictionary<string, byte[]> { ["unharmed"] = RoundTripTests.Bytes(50_000, 99) });
        var harmed = await repository.BackUpAsync(Files);
        var segment = await FalsifyAsync(repository, harmed, wrong);

        repository = await TestRepository.OpenAsync(store);
        var defects = (await VerifyAsync(repository)).Defects;
        defects.ShouldContain(d => d.ObjectName == segment && d.Problem.Contains("is wrong about 1 chunks"));
        defects.SelectMany(d => d.Snapshots).Distinct().ShouldBe([harmed.Id]);

        await new RepositoryRepair(repository).RunAsync(false, 2, CancellationToken.None);
        repository = await TestRepository.OpenAsync(store);
        (await VerifyAsync(repository)).Defects.ShouldBeEmpty();
        (await repository.RestoreAsync(harmed)).ShouldHold(Files);
    }

    [Fact]
    public async Task A_chunk_that_lies_in_two_packs_is_right_in_both()
    {
        var store = new InMemoryObjectStore();
        var repository = await TestRepository.CreateAsync(store);
        var other = await TestRepository.OpenAsync(store);
        await using (var first = repository.BeginSession(SessionTestExtensions.Options))
        await using (var second = other.BeginSession(SessionTestExtensions.Options))
        {
            // Neither knows of the other.
            await first.AddFilesAsync(repository, Files);
            await second.AddFilesAsync(other, Files);
            await first.CommitAsync(SessionTestExtensions.Draft(), CancellationToken.None);
            await second.CommitAsync(SessionTestExtensions.Draft(), CancellationToken.None);
        }

        (await VerifyAsync(await TestRepository.OpenAsync(store))).Defects.ShouldBeEmpty();
        await new RepositoryRepair(repository).RunAsync(false, 2, CancellationToken.None);
        var repaired = await VerifyAsync(await TestRepository.OpenAsync(store));
        repaired.Defects.ShouldBeEmpty();
        repaired.Notes.ShouldBeEmpty();
    }

    [Fact]
    public async Task Chunks_that_the_index_lacks_are_told()
    {
        var store = new InMemoryObjectStore();
        var repository = await TestRepository.CreateAsync(store);
        var snapshot = await repository.BackUpAsync(Files);
        await FalsifyAsync(repository, snapshot, "dropped");
        var report = await VerifyAsync(await TestRepository.OpenAsync(store));
        report.Defects.ShouldHaveSingleItem().Problem.ShouldContain("are in no pack");
        report.Notes.ShouldContain(n => n.StartsWith("1 chunks lie in packs"));
    }

    /// <summary>Replaces the index by one in which one entry of a file's chunk is not true.</summary>
    private static async Task<string> FalsifyAsync(BackupRepository repository, Snapshot snapshot, string wrong)
    {
        var builder = new IndexSegmentBuilder();
        var entry = await repository.ReadCatalogAsync(snapshot, CancellationToken.None).ElementAtAsync(3);
        var target = entry.Content!.Items[0].Id;
        foreach (var segment in repository.Index.Segments)
        {
            var numbers = segment.Blocks.Select(b => builder.AddBlock(segment.Packs[b.Pack], b.Offset, b.StoredLength, b.PlainLength)).ToArray();
            for (var page = 0; page < segment.PageCount; page++)
            {
                var bytes = await segment.ReadPageAsync(page, CancellationToken.None);
                for (var at = 0; at < bytes.Length; at += IndexFormat.EntrySize)
                {
                    var its = IndexEntry.Read(bytes.AsSpan(at));
                    its = its with { Block = numbers[its.Block] };
                    if (its.Id != target)
                    {
                        builder.Add(its);
                        continue;
                    }

                    var block = segment.Blocks[IndexEntry.Read(bytes.AsSpan(at)).Block];
                    switch (wrong)
                    {
                        case "offset": builder.Add(its with { Offset = its.Offset > 0 ? its.Offset - 1 : 1, Length = its.Length - 1 }); break;
                        case "length": builder.Add(its with { Length = its.Length - 1 }); break;
                        case "block":
                            builder.Add(its with
                            {
                                Block = builder.AddBlock(segment.Packs[block.Pack], block.Offset + 1, block.StoredLength, block.PlainLength),
                            });
                            break;
                        case "chunk": builder.Add(its with { Id = repository.ComputeId([1, 2, 3, 4]) }); break;
                    }
                }
            }

            builder.Supersedes.Add(segment.Name);
        }

        await repository.Index.AddSegmentAsync(builder, CancellationToken.None);
        return repository.Index.Segments.Single().Name;
    }

    private static async Task<VerificationReport> VerifyAsync(BackupRepository repository) =>
        await new RepositoryVerifier(repository).RunAsync(new VerificationOptions(VerificationLevel.Full), null, CancellationToken.None);
}
