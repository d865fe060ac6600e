using System.Runtime.CompilerServices;
using FunctionsBackup.Storage;
using FunctionsBackup.Storage.Validation;
using FunctionsBackup.Tests.Conformance;

namespace FunctionsBackup.Tests.Storage.Validation;

public sealed class StoreValidatorTests
{
    private static readonly ValidationOptions Options = new() { LargeSize = 300_000, NeedsDelete = true };

    private readonly InMemoryObjectStore _memory = new();
    private readonly FaultyObjectStore _store;

    public StoreValidatorTests() => _store = new FaultyObjectStore(_memory);

    [Fact]
    public async Task A_good_store_passes_and_is_left_as_it_was()
    {
        await _memory.CreateAsync("config", new byte[5], CancellationToken.None);
        var report = await RunAsync();
        report.Outcome.ShouldBe(CheckOutcome.Passed, string.Join('\n', report.Checks));
        report.Checks.Select(c => c.Name).ShouldBe(
        [
            "write", "retention locks", "read after write", "conditional create", "conditional create, 8 at once", "large object", "ranges", "listing", "clock",
            "latency", "delete",
        ]);
        report.WriteRate.ShouldNotBeNull().ShouldBePositive();
        report.ReadLatency.ShouldNotBeNull();
        _memory.Names.ShouldBe(["config"]);
    }

    [Fact]
    public async Task A_store_that_overwrites_fails()
    {
        var report = await new StoreValidator(new Overwriting(_memory), Options, TimeProvider.System).RunAsync(CancellationToken.None);
        Failed(report).ShouldBe(["conditional create", "conditional create, 8 at once"]);
        report.Checks.Single(c => c.Name.EndsWith("at once", StringComparison.Ordinal)).Finding.ShouldContain("8 of 8 writers");
        _memory.Names.ShouldBeEmpty();
    }

    [Fact]
    public async Task Stale_listings_fail()
    {
        await _store.FreezeListsAsync(CancellationToken.None);
        var report = await RunAsync();
        Failed(report).ShouldBe(["listing"]);
        report.Checks.Single(c => c.Name == "listing").Finding.ShouldContain("stale");
    }

    [Fact]
    public async Task Wrong_and_short_reads_fail()
    {
        _store.Add(new Fault(StoreOperation.Read, FaultKind.CorruptRead) { Where = n => n.Contains("/fresh-3", StringComparison.Ordinal) });
        _store.Add(new Fault(StoreOperation.Read, FaultKind.ShortRead)
        {
            Where = n => n.EndsWith("/large", StringComparison.Ordinal), Skip = 3, Bytes = 5,
        });
        Failed(await RunAsync()).ShouldBe(["read after write", "ranges"]);
        _memory.Names.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(0, CheckOutcome.Passed)]
    [InlineData(-100, CheckOutcome.Warning)]
    [InlineData(2000, CheckOutcome.Failed)]
    public async Task The_clocks_are_compared(int ahead, CheckOutcome outcome)
    {
        _memory.Clock = new TestClock(TimeSpan.FromSeconds(ahead));
        var report = await RunAsync();
        report.Outcome.ShouldBe(outcome);
        report.ClockDrift.ShouldNotBeNull().TotalSeconds.ShouldBeInRange(ahead - 5, ahead + 5);
    }

    [Theory]
    [InlineData(true, true, CheckOutcome.Passed, "permitted")]
    [InlineData(true, false, CheckOutcome.Warning, "can only write and read would do")]
    [InlineData(false, true, CheckOutcome.Warning, "pruning cannot be done")]
    [InlineData(false, false, CheckOutcome.Passed, "as it should be")]
    public async Task The_permission_to_delete_is_judged_by_the_need(bool permitted, bool needed, CheckOutcome outcome, string words)
    {
        if (!permitted)
            _store.Add(new Fault(StoreOperation.Delete, FaultKind.FailBefore)
            {
                Skip = 1, Times = int.MaxValue, Error = n => new StoreAccessException($"Cannot delete object {n}: permission is denied; ask."),
            });
        var report = await RunAsync(Options with { NeedsDelete = needed });
        report.Outcome.ShouldBe(outcome);
        report.Checks[^1].Finding.ShouldContain(words);
        if (permitted) _memory.Names.ShouldBeEmpty();
        else report.Left.ShouldBe(_memory.Names);
    }

    [Fact]
    public async Task A_store_that_cannot_be_written_says_so_and_no_more_is_tried()
    {
        _store.Add(new Fault(StoreOperation.Create, FaultKind.FailBefore)
        {
            Times = int.MaxValue, Error = _ => new StoreAccessException("Cannot write: permission is denied; ask."),
        });
        var report = await RunAsync();
        Failed(report).ShouldBe(["write"]);
        report.Checks.Count.ShouldBe(2);
    }

    [Fact]
    public async Task An_interrupted_validation_leaves_nothing()
    {
        using var source = new CancellationTokenSource();
        var gate = new TaskCompletionSource();
        _store.Add(new Fault(StoreOperation.Create, FaultKind.Wait) { Skip = 15, Until = gate.Task });
        var run = new StoreValidator(_store, Options, TimeProvider.System).RunAsync(source.Token);
        await source.CancelAsync();
        gate.TrySetResult();
        await Should.ThrowAsync<OperationCanceledException>(run);
        _memory.Names.ShouldBeEmpty();
    }

    private Task<ValidationReport> RunAsync(ValidationOptions? options = null) =>
        new StoreValidator(_store, options ?? Options, TimeProvider.System).RunAsync(CancellationToken.None);

    private static IEnumerable<string> Failed(ValidationReport report) =>
        report.Checks.Where(c => c.Outcome == CheckOutcome.Failed).Select(c => c.Name);

    /// <summary>What a service that ignores the condition does.</summary>
    private sealed class Overwriting(InMemoryObjectStore inner) : IObjectStore
    {
        public string Description => inner.Description;

        public ValueTask<bool> CreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
        {
            inner.Overwrite(name, content.Span);
            return ValueTask.FromResult(true);
        }

        public ValueTask<ObjectInfo?> FindAsync(string name, CancellationToken cancellationToken) => inner.FindAsync(name, cancellationToken);

        public ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
            inner.ReadAsync(name, offset, destination, cancellationToken);

        public async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await foreach (var info in inner.ListAsync(prefix, cancellationToken)) yield return info;
        }

        public ValueTask<bool> DeleteAsync(string name, CancellationToken cancellationToken) => inner.DeleteAsync(name, cancellationToken);

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
