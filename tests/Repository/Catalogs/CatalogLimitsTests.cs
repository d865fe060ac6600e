using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Catalogs;
using FunctionsBackup.Tests.Conformance;
using FunctionsBackup.Tests.Repository.Sessions;

namespace FunctionsBackup.Tests.Repository.Catalogs;

/// <summary>Whatever the writer takes, a reader takes back; what it does not take is refused when it is written, by name.</summary>
public sealed class CatalogLimitsTests
{
    public static TheoryData<string> Possible() => ["link", "extra", "names", "value", "path", "many", "largest"];

    public static TheoryData<string> Impossible() => ["link", "extra", "name", "empty name", "value", "together", "path"];

    [Theory]
    [MemberData(nameof(Possible))]
    public async Task What_is_at_the_limit_comes_back(string part)
    {
        var entry = part switch
        {
            "link" => Link("l") with { LinkTarget = Filled(CatalogLimits.MaximumEntry - 200) },
            "extra" => Link("l") with { Extra = Filled(CatalogLimits.MaximumExtra) },
            "names" => Link("l") with { ExtendedAttributes = [new(Filled(CatalogLimits.MaximumAttributeName), new byte[1])] },
            "value" => Link("l") with { ExtendedAttributes = [new("user.a"u8.ToArray(), Filled(CatalogLimits.MaximumEntry - 300))] },
            "path" => Link(string.Join('/', Enumerable.Repeat(new string('p', 255), 3000))),
            "many" => Link("l") with { ExtendedAttributes = [.. Enumerable.Range(0, 60_000).Select(_ => new ExtendedAttribute(Filled(3), Filled(1)))] },
            _ => Link("l") with { LinkTarget = Filled(500_000), ExtendedAttributes = [new(Filled(200), Filled(500_000))] },
        };
        CatalogLimits.Problem(entry).ShouldBeNull();
        var repository = await TestRepository.CreateAsync();
        await using var session = repository.BeginSession(SessionTestExtensions.Options);
        await session.Catalog.AddAsync(Link("before") with { ExtendedAttributes = [new("user.a"u8.ToArray(), Filled(510_000))] }, CancellationToken.None);
        await session.Catalog.AddAsync(entry, CancellationToken.None);
        await session.Catalog.AddAsync(Link("z"), CancellationToken.None);
        var snapshot = await session.CommitAsync(SessionTestExtensions.Draft(), CancellationToken.None);
        var read = await repository.ReadCatalogAsync(snapshot, CancellationToken.None).ToListAsync();
        read.Count.ShouldBe(3);
        read[1].LinkTarget.Span.SequenceEqual(entry.LinkTarget.Span).ShouldBeTrue();
        read[1].Extra.Length.ShouldBe(entry.Extra.Length);
        read[1].ExtendedAttributes.Select(a => (a.Name.Length, a.Value.Length))
            .ShouldBe(entry.ExtendedAttributes.Select(a => (a.Name.Length, a.Value.Length)));
    }

    [Theory]
    [MemberData(nameof(Impossible))]
    public async Task What_is_beyond_it_is_refused_by_name_and_the_session_goes_on(string part)
    {
        var entry = part switch
        {
            "link" => Link("l") with { LinkTarget = Filled(CatalogLimits.MaximumLinkTarget + 1) },
            "extra" => Link("l") with { Extra = Filled(CatalogLimits.MaximumExtra + 1) },
            "name" => Link("l") with { ExtendedAttributes = [new(Filled(CatalogLimits.MaximumAttributeName + 1), new byte[1])] },
            "empty name" => Link("l") with { ExtendedAttributes = [new(default, new byte[1])] },
            "value" => Link("l") with { ExtendedAttributes = [new("user.a"u8.ToArray(), Filled(CatalogLimits.MaximumAttributeValue + 1))] },
            "together" => Link("l") with { ExtendedAttributes = [.. Enumerable.Range(0, 20).Select(_ => new ExtendedAttribute(Filled(9), Filled(64 << 10)))] },
            _ => Link(string.Join('/', Enumerable.Repeat(new string('p', 255), 4096))),
        };
        CatalogLimits.Problem(entry).ShouldNotBeNull();
        var repository = await TestRepository.CreateAsync();
        await using var session = repository.BeginSession(SessionTestExtensions.Options);
        if (part == "path") await Should.ThrowAsync<RepositoryException>(async () => await session.Catalog.AddAsync(entry, CancellationToken.None));
        else
            (await Should.ThrowAsync<RepositoryException>(async () => await session.Catalog.AddAsync(entry, CancellationToken.None)))
                .Message.ShouldStartWith("l cannot be stored, because");
        await session.Catalog.AddAsync(Link("z"), CancellationToken.None);
        var snapshot = await session.CommitAsync(SessionTestExtensions.Draft(), CancellationToken.None);
        (await repository.ReadCatalogAsync(snapshot, CancellationToken.None).CountAsync()).ShouldBe(1);
    }

    [Fact]
    public void Attributes_that_fit_stay_and_the_others_go()
    {
        var entry = Link("l");
        IReadOnlyList<ExtendedAttribute> few = [new("user.a"u8.ToArray(), Filled(10))];
        CatalogLimits.Fitting(entry, few).ShouldBeSameAs(few);
        var many = Enumerable.Range(0, 20).Select(i => new ExtendedAttribute(Filled(4 + i), Filled(64 << 10))).Concat(few).ToList();
        var fitting = CatalogLimits.Fitting(entry, many);
        fitting.Count.ShouldBe(16, "fifteen large ones, and the small one behind");
        CatalogLimits.Problem(entry with { ExtendedAttributes = fitting }).ShouldBeNull();
    }

    private static CatalogEntry Link(string path) => new() { Path = System.Text.Encoding.UTF8.GetBytes(path), Kind = EntryKind.SymbolicLink };

    private static byte[] Filled(int length)
    {
        var bytes = new byte[length];
        Array.Fill(bytes, (byte)'x');
        return bytes;
    }
}
