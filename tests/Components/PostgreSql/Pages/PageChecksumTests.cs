using System.Buffers.Binary;
using FsCheck;
using FsCheck.Fluent;
using FunctionsBackup.Components.PostgreSql;
using FunctionsBackup.Components.PostgreSql.Pages;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.Components.PostgreSql.Pages;

public sealed class PageChecksumTests
{
    private static readonly PageChecker Checker = new(8192, true, new Lsn(ulong.MaxValue));

    [Fact]
    public async Task Every_page_that_a_server_wrote_is_good_at_its_place_and_bad_at_another_or_with_a_flipped_bit()
    {
        await using var server = await PostgresServer.StartAsync();
        await server.StopAsync();
        var pages = 0;
        foreach (var path in Directory.EnumerateFiles(Path.Combine(server.DataDirectory, "base", "1")))
        {
            if (!RelationFile.TryParseName(Path.GetFileName(path), out _, out _, out var segment)) continue;
            segment.ShouldBe(0u);
            var bytes = await File.ReadAllBytesAsync(path);
            for (var block = 0u; block < bytes.Length / 8192; block++)
            {
                var page = bytes.AsSpan((int)block * 8192, 8192);
                Checker.Check(page, block).ShouldBeNull($"{path} block {block}");
                if (PageHeader.Read(page).IsNew) continue;
                Checker.Check(page, block + 1)!.Value.Fault.ShouldBe(PageFault.Checksum);
                page[(int)(pages * 37L % 8192)] ^= 1;
                Checker.Check(page, block).ShouldNotBeNull($"{path} block {block}, flipped at {pages * 37L % 8192}");
                pages++;
            }
        }

        pages.ShouldBeGreaterThan(200);
    }

    [Fact]
    public void The_sum_is_that_of_the_definition()
    {
        Prop.ForAll(
            Gen.Choose(0, 255).Select(value => (byte)value).ArrayOf(8192).ToArbitrary(),
            Gen.Choose(0, int.MaxValue).ToArbitrary(),
            (page, block) => PageChecksum.Compute(page, (uint)block) == Define(page, (uint)block)).Check(Config.QuickThrowOnFailure.WithMaxTest(20));
    }

    [Fact]
    public void A_page_changed_since_the_backup_began_is_exempt_and_an_empty_one_must_be_all_zeros()
    {
        var page = new byte[8192];
        var checker = Checker with { StartLsn = new Lsn(0x1_0000_0010) };
        checker.Check(page, 7).ShouldBeNull();
        page[8000] = 1;
        checker.Check(page, 7)!.Value.Fault.ShouldBe(PageFault.NotZero);
        BinaryPrimitives.WriteUInt16LittleEndian(page.AsSpan(14), 8192);
        checker.Check(page, 7)!.Value.Fault.ShouldBe(PageFault.Checksum);
        BinaryPrimitives.WriteUInt32LittleEndian(page, 1);
        BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(4), 0x10);
        checker.Check(page, 7).ShouldBeNull();
        BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(4), 0xF);
        checker.Check(page, 7).ShouldNotBeNull();
        (checker with { Checksums = false }).Check(page, 7)!.Value.Fault.ShouldBe(PageFault.Header);

        // Anything at all in place of a page seems to be from the future, and is not believed.
        new Random(1).NextBytes(page);
        checker.Check(page, 7)!.Value.Fault.ShouldBe(PageFault.Checksum);
        (checker with { Checksums = false }).Check(page, 7)!.Value.Fault.ShouldBe(PageFault.Header);
    }

    [Fact]
    public void A_report_names_ranges_and_counts_what_it_does_not_keep()
    {
        var report = new PageReport("pgdata/base/5/16384");
        report.ToWarning().ShouldBeNull();
        for (var block = 0u; block < 100; block += 2) report.Add(new PageDefect(block, PageFault.Checksum, 0xABCD, 0x1));
        report.Count.ShouldBe(50);
        report.Ranges.Count.ShouldBe(PageReport.MaximumRanges);
        var warning = report.ToWarning()!;
        warning.ShouldStartWith("Relation file pgdata/base/5/16384 has 50 bad pages: block 0, 2, 4");
        warning.ShouldContain("and 34 more (checksum of block 0: the page says ABCD, its bytes give 0001)");
    }

    private static ushort Define(byte[] page, uint block)
    {
        uint[] sums =
        [
            0x5B1F36E9, 0xB8525960, 0x02AB50AA, 0x1DE66D2A, 0x79FF467A, 0x9BB9F8A3, 0x217E7CD2, 0x83E13D2C,
            0xF8D4474F, 0xE39EB970, 0x42C6AE16, 0x993216FA, 0x7B093B5D, 0x98DAFF3C, 0xF718902A, 0x0B1C9CDB,
            0xE58F764B, 0x187636BC, 0x5D7B3BB1, 0xE73DE7DE, 0x92BEC979, 0xCCA6C0B2, 0x304A0979, 0x85AA43D4,
            0x783125BB, 0x6CA8EAA2, 0xE407EAC6, 0x4B5CFC3E, 0x9FBF8C76, 0x15CA20BE, 0xF2CA9FD3, 0x959BD756,
        ];
        for (var at = 0; at < page.Length + 256; at += 4)
        {
            var value = at >= page.Length ? 0 : BinaryPrimitives.ReadUInt32LittleEndian(page.AsSpan(at));
            if (at == 8) value &= 0xFFFF0000;
            var mixed = sums[at / 4 % 32] ^ value;
            sums[at / 4 % 32] = (mixed * 16777619) ^ (mixed >> 17);
        }

        return (ushort)(((sums.Aggregate((left, right) => left ^ right) ^ block) % 65535) + 1);
    }
}
