using FunctionsBackup.Storage;

namespace FunctionsBackup.Tests.Storage;

public sealed class BlockingThreadsTests
{
    private readonly BlockingThreads _threads = new("test", 3);

    [Fact]
    public async Task Work_runs_on_as_many_threads_as_allowed_and_no_more()
    {
        using var gate = new ManualResetEventSlim();
        using var three = new CountdownEvent(3);
        var (running, most) = (0, 0);
        var work = Enumerable.Range(0, 12).Select(i => _threads.RunAsync(
            () =>
            {
                most = Math.Max(most, Interlocked.Increment(ref running));
                if (!three.IsSet) three.Signal();
                gate.Wait();
                Interlocked.Decrement(ref running);
                return i;
            },
            CancellationToken.None)).ToArray();
        three.Wait(TimeSpan.FromSeconds(30)).ShouldBeTrue();
        gate.Set();
        (await Task.WhenAll(work)).ShouldBe(Enumerable.Range(0, 12));
        most.ShouldBe(3);
    }

    [Fact]
    public async Task Work_that_waits_for_later_work_does_not_keep_it_from_starting()
    {
        for (var round = 0; round < 300; round++)
        {
            using var second = new ManualResetEventSlim();
            var waiting = _threads.RunAsync(() => second.Wait(TimeSpan.FromSeconds(30)), CancellationToken.None);
            var setting = _threads.RunAsync(
                () =>
                {
                    second.Set();
                    return true;
                },
                CancellationToken.None);
            (await waiting).ShouldBeTrue();
            (await setting).ShouldBeTrue();
        }
    }

    [Fact]
    public async Task A_call_ends_when_its_work_ends()
    {
        await Should.ThrowAsync<InvalidDataException>(
            () => _threads.RunAsync<int>(() => throw new InvalidDataException(), CancellationToken.None));
        (await _threads.RunAsync(() => 5, CancellationToken.None)).ShouldBe(5);

        using var source = new CancellationTokenSource();
        using var gate = new ManualResetEventSlim();
        using var three = new CountdownEvent(3);
        var waiting = Enumerable.Range(0, 3).Select(i => _threads.RunAsync(() =>
        {
            three.Signal();
            gate.Wait();
            return i;
        }, source.Token)).ToArray();
        var began = false;
        three.Wait(TimeSpan.FromSeconds(30)).ShouldBeTrue(); // a call that has not begun would be cancelled too
        var queued = _threads.RunAsync(() => began = true, source.Token);
        await source.CancelAsync();
        gate.Set();
        (await Task.WhenAll(waiting)).ShouldBe([0, 1, 2]); // what had begun is finished
        await Should.ThrowAsync<OperationCanceledException>(() => queued);
        began.ShouldBeFalse();
    }
}
