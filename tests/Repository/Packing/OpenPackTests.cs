using FunctionsBackup.Repository.Buffers;
using FunctionsBackup.Repository.Packing;
using FunctionsBackup.Tests.Conformance;

namespace FunctionsBackup.Tests.Repository.Packing;

public sealed class OpenPackTests
{
    /// <summary>A hold that is counted wrong leaves a pack unwritten for ever, or writes it before its blocks are in it.</summary>
    [Fact]
    public async Task The_last_of_many_holders_and_only_the_last_finishes_a_pack()
    {
        const int Holds = 350_000;
        await using var repository = await TestRepository.CreateAsync();
        for (var round = 0; round < 3; round++)
        {
            using var buffer = new AlignedBuffer(PackFormat.MaximumSize);
            using var pack = new OpenPack(repository.Keys, PackKind.Data, buffer);
            for (var i = 0; i < Holds; i++) pack.TryReserve(1, 1, [], out var _).ShouldBeTrue();

            // One thread takes holds, as under the writer's lock; another lets go of them, without the lock.
            using var start = new Barrier(2);
            var early = 0;
            var releasing = Task.Factory.StartNew(
                () =>
                {
                    start.SignalAndWait();
                    for (var i = 0; i < Holds; i++)
                        if (pack.Release()) early++;
                },
                CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            start.SignalAndWait();
            for (var i = 0; i < Holds; i++) pack.TryReserve(1, 1, [], out var _);
            await releasing;
            for (var i = 0; i < Holds; i++)
                if (pack.Release()) early++;
            early.ShouldBe(0, "the writer still holds it");
            pack.Release().ShouldBeTrue("nobody holds it any more");
        }
    }
}
