using FunctionsBackup.Repository.Packing;

namespace FunctionsBackup.Tests.Repository.Packing;

public sealed class HoldCountTests
{
    /// <summary>How often the two threads must have seen each other at work, and after how many holds the machine is believed to have one core.</summary>
    private const int Meetings = 4, Limit = 200_000_000;

    /// <summary>
    /// The race that left packs unwritten: a count that is not atomic loses updates when holds are taken on one thread while another lets go.
    /// Both do nothing else here, and go on until they have run at the same time; a plain increment is then off by hundreds of thousands.
    /// </summary>
    [Fact]
    public async Task Only_the_last_of_those_who_take_and_let_go_at_once_is_told_that_it_is_the_last()
    {
        var holds = new HoldCount();
        long taken = 0, released = 0;
        int early = 0, meetings = 0;
        var stop = false;
        var releasing = Task.Factory.StartNew(
            () =>
            {
                var mine = 0L;
                for (var seen = 0L; !Volatile.Read(ref stop);)
                {
                    var now = Volatile.Read(ref taken);
                    if (now == seen) continue;
                    if (mine > 0) Interlocked.Increment(ref meetings);
                    for (seen = now; mine < now; mine++)
                        if (holds.Release()) early++;
                    released = mine;
                }
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        var total = 0L;
        while (total < Limit && Volatile.Read(ref meetings) < Meetings)
        {
            holds.Take();
            if ((++total & 15) == 0) Volatile.Write(ref taken, total);
        }

        Volatile.Write(ref stop, true);
        await releasing;
        for (var i = released; i < total; i++)
            if (holds.Release()) early++;
        early.ShouldBe(0, "somebody still holds it");
        holds.Release().ShouldBeTrue("nobody holds it any more");
    }
}
