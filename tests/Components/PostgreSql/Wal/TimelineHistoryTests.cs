using System.Text;
using FunctionsBackup.Components.PostgreSql;
using FunctionsBackup.Components.PostgreSql.Wal;

namespace FunctionsBackup.Tests.Components.PostgreSql.Wal;

public sealed class TimelineHistoryTests
{
    private const int Size = 1 << 20;

    [Fact]
    public void Each_position_has_its_timeline()
    {
        // As PostgreSQL writes it, comments and blank lines included.
        var history = Parse(3, "# comment\n\n1\t0/3000158\tno recovery target specified\n\n2\t0/5800000\tbefore 2026-11-22 15:00:00+00\n");
        history.At(Lsn.Parse("0/1000000")).ShouldBe(1u);
        history.At(Lsn.Parse("0/3000157")).ShouldBe(1u);
        history.At(Lsn.Parse("0/3000158")).ShouldBe(2u);
        history.At(Lsn.Parse("0/5800000")).ShouldBe(3u);
        history.SwitchedFrom(1).ShouldBe(Lsn.Parse("0/3000158"));
        history.SwitchedFrom(2).ShouldBe(Lsn.Parse("0/5800000"));
        history.SwitchedFrom(3).ShouldBeNull();
        history.Candidates(Lsn.Parse("0/2000000"), Size).ShouldBe([1u]);
        history.Candidates(Lsn.Parse("0/3000000"), Size).ShouldBe([2u, 1u]);
        history.Candidates(Lsn.Parse("0/4000000"), Size).ShouldBe([2u]);
        // A fork at the border of two segments begins in the second.
        history.Candidates(Lsn.Parse("0/5700000"), Size).ShouldBe([2u]);
        history.Candidates(Lsn.Parse("0/5800000"), Size).ShouldBe([3u]);
    }

    [Fact]
    public void A_recovery_that_stopped_before_the_fork_of_the_timeline_it_followed_leads_past_that_one()
    {
        // Timeline 2 was followed but forked off at 0/5000000, after the point at which this recovery stopped.
        var history = Parse(3, "1\t0/5000000\tx\n2\t0/4000100\tbefore 2026-11-22 15:00:00+00\n");
        history.At(Lsn.Parse("0/4000000")).ShouldBe(1u);
        history.At(Lsn.Parse("0/4000100")).ShouldBe(3u);
        history.At(Lsn.Parse("0/5000000")).ShouldBe(3u);
        history.SwitchedFrom(1).ShouldBe(Lsn.Parse("0/4000100"));
        history.SwitchedFrom(2).ShouldBe(Lsn.Parse("0/4000100"));
        history.Candidates(Lsn.Parse("0/3000000"), Size).ShouldBe([1u]);
        history.Candidates(Lsn.Parse("0/4000000"), Size).ShouldBe([3u, 1u]);
        history.Candidates(Lsn.Parse("0/5000000"), Size).ShouldBe([3u]);
    }

    [Theory]
    [InlineData("garbage"), InlineData("1 x"), InlineData("0\t0/1\tx"), InlineData("3\t0/1\tx")]
    [InlineData("2\t0/1\tx\n1\t0/2\tx"), InlineData("-1\t0/1\tx")]
    public void What_is_no_history_of_that_timeline_is_refused(string text) =>
        Should.Throw<WalFormatException>(() => Parse(3, text)).Message.ShouldContain("timeline 3");

    private static TimelineHistory Parse(uint timeline, string text) => TimelineHistory.Parse(timeline, Encoding.UTF8.GetBytes(text));
}
