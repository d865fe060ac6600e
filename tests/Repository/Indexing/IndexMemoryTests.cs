using FunctionsBackup.Repository.Indexing;
using FunctionsBackup.Tests.Conformance;

namespace FunctionsBackup.Tests.Repository.Indexing;

/// <summary>What is measured of the whole process is measured while no other test runs in it.</summary>
[CollectionDefinition(nameof(IndexMemoryTests), DisableParallelization = true)]
public sealed class Alone;

[Collection(nameof(IndexMemoryTests))]
public sealed class IndexMemoryTests
{
    /// <summary>The budget of FORMAT.md §6: what a million chunks cost in memory, and what looking up all of them adds.</summary>
    [Fact]
    public async Task A_million_chunks_stay_within_the_memory_budget()
    {
        var store = new InMemoryObjectStore();
        await using (var repository = await TestRepository.CreateAsync(store))
            await repository.Index.AddSegmentAsync(IndexSegmentTests.Segment(0, 1_000_000), CancellationToken.None);
        var before = GC.GetTotalMemory(true);
        await using var reader = await TestRepository.OpenAsync(store);
        (GC.GetTotalMemory(true) - before).ShouldBeLessThan(4 << 20, "opened");
        for (var i = 0; i < 1_000_000; i += 37) (await reader.Index.FindAsync(IndexSegmentTests.Id(i), CancellationToken.None)).ShouldNotBeNull();
        (GC.GetTotalMemory(true) - before).ShouldBeLessThan((4 << 20) + IndexPageCache.DefaultCapacity + (2 << 20), "with a full page cache");
    }
}
