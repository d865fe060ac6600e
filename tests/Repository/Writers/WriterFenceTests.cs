using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Collection;
using FunctionsBackup.Tests.Repository.Collection;
using FunctionsBackup.Tests.Repository.Sessions;

namespace FunctionsBackup.Tests.Repository.Writers;

/// <summary>A writer cannot read what collections say, and still commits nothing that one may have taken apart.</summary>
public sealed class WriterFenceTests
{
    private static readonly Dictionary<string, byte[]> Files = new() { ["a"] = SampleData.Random(20_000_000, 1) };
    private readonly ManualClock _clock = new();

    [Theory]
    [InlineData(1, 22, true)]
    [InlineData(1, 24.5, false)] // the mark's grace time of 24 hours, less an hour, is over
    [InlineData(30, 22, true)]
    public async Task A_collection_that_began_meanwhile_is_seen_by_its_name(double before, double after, bool commits)
    {
        await using var site = await WriterSite.CreateAsync(_clock);
        await using var writer = await site.WriteAsync(time: _clock);
        await using var session = writer.BeginSession(SessionTestExtensions.Options);
        await session.AddFilesAsync(writer, Files);
        _clock.Advance(TimeSpan.FromHours(before));
        await using var reader = await site.OpenAsync(_clock);
        await new CollectionMarks(site.Store, reader.Sealed).AddAsync(new CollectionMark(["packs/x"], TimeSpan.FromHours(24).TotalSeconds), default);
        _clock.Advance(TimeSpan.FromHours(after));
        var commit = async () => await session.CommitAsync(SessionTestExtensions.Draft(_clock.GetUtcNow()), default);
        if (commits) await commit();
        else (await Should.ThrowAsync<RepositoryException>(commit)).Message.ShouldContain("garbage collection");
    }

    [Fact]
    public async Task One_that_a_collection_overtook_commits_nothing()
    {
        await using var site = await WriterSite.CreateAsync(_clock);
        await using var writer = await site.WriteAsync(time: _clock);
        await using var session = writer.BeginSession(SessionTestExtensions.Options);
        await session.AddFilesAsync(writer, Files);
        while (!site.Store.Names.Any(n => n.StartsWith("packs/", StringComparison.Ordinal))) await Task.Yield();
        for (var round = 0; round < 2; round++)
        {
            _clock.Advance(TimeSpan.FromHours(25));
            await using var reader = await site.OpenAsync(_clock);
            await new GarbageCollector(reader).RunAsync(new CollectionOptions(), default);
        }

        site.Store.Names.ShouldNotContain(n => n.StartsWith("packs/", StringComparison.Ordinal), "nothing needed what was there");
        await Should.ThrowAsync<RepositoryException>(async () => await session.CommitAsync(SessionTestExtensions.Draft(_clock.GetUtcNow()), default));
        site.Store.Names.ShouldNotContain(n => n.StartsWith("snapshots/", StringComparison.Ordinal));
    }
}
