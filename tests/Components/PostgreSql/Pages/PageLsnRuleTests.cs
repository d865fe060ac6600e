using System.Buffers.Binary;
using FsCheck;
using FsCheck.Fluent;
using FunctionsBackup.Components.PostgreSql;
using FunctionsBackup.Components.PostgreSql.Pages;

namespace FunctionsBackup.Tests.Components.PostgreSql.Pages;

public sealed class PageLsnRuleTests
{
    private const int PageSize = 8192;

    private static readonly PageLsnRule Rule = new(PageSize, new Lsn(0x1000000), new Lsn(0x5_0000_0000));

    private static readonly Gen<ulong> AnyLsn = Gen.Frequency(
        (6, from high in Gen.Choose(0, 6) from low in Gen.Choose(0, int.MaxValue) select ((ulong)high << 32) | (uint)low),
        (2, Gen.Elements(0UL, 1UL, 1000UL, ulong.MaxValue, ulong.MaxValue - 8, 1UL << 63)),
        (2, from step in Gen.Choose(-2, 2) from border in Gen.Elements(Rule.Oldest.Value, Rule.Before.Value) select border + (ulong)step));

    private static readonly Gen<Page> AnyPage = Gen.Frequency(
        (8, from lsn in AnyLsn select new Page(lsn, 0, 28, 8000, 8192)),
        (1, from lsn in AnyLsn from flags in Gen.Choose(0, 9) from lower in Gen.Elements(0, 23, 24, 8192)
            from upper in Gen.Elements(0, 20, 24, 8192, 9000) from special in Gen.Elements(0, 8100, 8176, 8192, 8200)
            select new Page(lsn, (ushort)flags, (ushort)lower, (ushort)upper, (ushort)special)),
        (1, Gen.Constant(new Page(0, 0, 0, 0, 0))));

    [Fact]
    public void Pages_are_old_exactly_if_each_of_them_has_a_real_LSN_from_before_and_a_sound_header() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(2000),
        Prop.ForAll(AnyPage.ListOf().ToArbitrary(), pages =>
        {
            var expected = pages.Count > 0 && pages.All(page =>
                page.Lsn >= Rule.Oldest.Value && page.Lsn < Rule.Before.Value && page.Upper != 0 && page.Flags <= 7
                && page.Lower >= 24 && page.Lower <= page.Upper && page.Upper <= page.Special && page.Special <= PageSize && page.Special % 8 == 0);
            return Rule.AreOld(Bytes(pages)) == expected;
        }));

    [Fact]
    public void One_newer_page_anywhere_makes_all_of_them_new() => Check.One(
        Config.QuickThrowOnFailure,
        Prop.ForAll((from count in Gen.Choose(1, 8) from at in Gen.Choose(0, count - 1) select (count, at)).ToArbitrary(), chosen =>
        {
            var pages = Enumerable.Repeat(new Page(0x2_0000_0000, 0, 28, 8000, 8192), chosen.count).ToArray();
            if (!Rule.AreOld(Bytes(pages))) return false;
            pages[chosen.at] = pages[chosen.at] with { Lsn = Rule.Before.Value };
            return !Rule.AreOld(Bytes(pages));
        }));

    [Fact]
    public void Nothing_and_parts_of_pages_are_not_old()
    {
        var page = Bytes([new Page(0x2_0000_0000, 0, 28, 8000, 8192)]);
        Rule.AreOld(page).ShouldBeTrue();
        Rule.AreOld([]).ShouldBeFalse();
        Rule.AreOld(page.AsSpan(0, 24)).ShouldBeFalse();
        Rule.AreOld([.. page, .. page.AsSpan(0, 512)]).ShouldBeFalse();
    }

    [Theory]
    [InlineData(0UL)] // never stamped: written while wal_level was minimal
    [InlineData(1UL)] // GistBuildLSN
    [InlineData(1000UL)] // the first of unlogged relations' counter
    [InlineData(0xFFFFFFUL)] // still in the segment that no server uses
    public void Stand_ins_for_LSNs_are_not_old(ulong lsn) => Rule.AreOld(Bytes([new Page(lsn, 0, 28, 8000, 8192)])).ShouldBeFalse();

    private static byte[] Bytes(IReadOnlyList<Page> pages)
    {
        var bytes = new byte[pages.Count * PageSize];
        for (var i = 0; i < pages.Count; i++)
        {
            var page = bytes.AsSpan(i * PageSize, PageSize);
            page.Fill((byte)(i + 1));
            BinaryPrimitives.WriteUInt32LittleEndian(page, (uint)(pages[i].Lsn >> 32));
            BinaryPrimitives.WriteUInt32LittleEndian(page[4..], (uint)pages[i].Lsn);
            BinaryPrimitives.WriteUInt16LittleEndian(page[10..], pages[i].Flags);
            BinaryPrimitives.WriteUInt16LittleEndian(page[12..], pages[i].Lower);
            BinaryPrimitives.WriteUInt16LittleEndian(page[14..], pages[i].Upper);
            BinaryPrimitives.WriteUInt16LittleEndian(page[16..], pages[i].Special);
        }

        return bytes;
    }

    private sealed record Page(ulong Lsn, ushort Flags, ushort Lower, ushort Upper, ushort Special);
}
