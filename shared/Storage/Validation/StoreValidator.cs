using System.Globalization;
using System.Security.Cryptography;
using FunctionsBackup.Storage.Locks;

namespace FunctionsBackup.Storage.Validation;

/// <summary>
/// Tries whether a store keeps the promises that a repository rests on, before anything is trusted to it: with objects below
/// <c>validate/</c> and a random name, which are removed again.
/// </summary>
public sealed class StoreValidator(IObjectStore store, ValidationOptions options, TimeProvider time)
{
    private const int Racers = 8, Samples = 9;
    private const string NoLocks =
        "not to be had in a folder: whoever can write here can delete the backups; keep a copy where storage.immutability works";

    private static readonly TimeSpan NotableDrift = TimeSpan.FromSeconds(30), GreatestDrift = TimeSpan.FromMinutes(10);

    private readonly string _folder = $"validate/{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}";
    private readonly List<StoreCheck> _checks = [];
    private readonly HashSet<string> _names = [];
    private ValidationReport _figures = new([], []);
    private byte[] _large = [];

    /// <summary>Makes all checks. One that fails does not keep the others from being made, unless nothing can be written at all.</summary>
    public async Task<ValidationReport> RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (await CheckAsync("write", WriteAsync, cancellationToken).ConfigureAwait(false))
            {
                if (store is IProbedStore probed) await ProbeAsync(probed, cancellationToken).ConfigureAwait(false);
                if (store is not ILockingStore) _checks.Add(new StoreCheck("retention locks", CheckOutcome.Passed, NoLocks));
                await CheckAsync("read after write", ReadAfterWriteAsync, cancellationToken).ConfigureAwait(false);
                await CheckAsync("conditional create", CreateTwiceAsync, cancellationToken).ConfigureAwait(false);
                await CheckAsync($"conditional create, {Racers} at once", RaceAsync, cancellationToken).ConfigureAwait(false);
                if (await CheckAsync("large object", LargeAsync, cancellationToken).ConfigureAwait(false))
                    await CheckAsync("ranges", RangesAsync, cancellationToken).ConfigureAwait(false);
                await CheckAsync("listing", ListAsync, cancellationToken).ConfigureAwait(false);
                await CheckAsync("clock", ClockAsync, cancellationToken).ConfigureAwait(false);
                await CheckAsync("latency", LatencyAsync, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            // Also when interrupted: nothing of ours is to stay.
            await CheckAsync("delete", DeleteAsync, CancellationToken.None).ConfigureAwait(false);
        }

        return _figures with { Checks = _checks, Left = [.. _names.Order(StringComparer.Ordinal)] };
    }

    private async ValueTask<bool> CheckAsync(
        string name, Func<CancellationToken, ValueTask<(CheckOutcome, string)>> check, CancellationToken cancellationToken)
    {
        try
        {
            var (outcome, finding) = await check(cancellationToken).ConfigureAwait(false);
            _checks.Add(new StoreCheck(name, outcome, finding));
            return outcome != CheckOutcome.Failed;
        }
        catch (StoreException e)
        {
            _checks.Add(new StoreCheck(name, CheckOutcome.Failed, e.Message));
            return false;
        }
    }

    private async ValueTask ProbeAsync(IProbedStore probed, CancellationToken cancellationToken)
    {
        foreach (var finding in await probed.ProbeAsync(cancellationToken).ConfigureAwait(false))
            _checks.Add(new StoreCheck(
                finding.What,
                !finding.IsGood ? CheckOutcome.Failed : finding.IsWarning ? CheckOutcome.Warning : CheckOutcome.Passed, finding.Finding));
    }

    private async ValueTask<(CheckOutcome, string)> WriteAsync(CancellationToken cancellationToken) =>
        await CreateAsync("first", Content(1), cancellationToken).ConfigureAwait(false)
            ? Passed("a new object is acknowledged")
            : Failed("the store says that a new, random name is taken already");

    private async ValueTask<(CheckOutcome, string)> ReadAfterWriteAsync(CancellationToken cancellationToken)
    {
        for (var i = 0; i < Samples; i++)
        {
            var name = $"fresh-{i}";
            if (await store.FindAsync(Name(name), cancellationToken).ConfigureAwait(false) is not null)
                return Failed("an object is there before it was created");
            await CreateAsync(name, Content(100 + i), cancellationToken).ConfigureAwait(false);
            if (await store.FindAsync(Name(name), cancellationToken).ConfigureAwait(false) is not { } found || found.Size != 100 + i)
                return Failed("an object just created is not found, though it was looked for before: the store answers from a stale cache");
            if (!await HoldsAsync(name, Content(100 + i), cancellationToken).ConfigureAwait(false))
                return Failed("an object just created reads back as other bytes");
        }

        return Passed($"{Samples} of {Samples} objects at once");
    }

    private async ValueTask<(CheckOutcome, string)> CreateTwiceAsync(CancellationToken cancellationToken)
    {
        await CreateAsync("once", Content(50), cancellationToken).ConfigureAwait(false);
        if (await CreateAsync("once", Content(60), cancellationToken).ConfigureAwait(false))
            return Failed("a second create of the same name succeeded: objects can be overwritten");
        return await HoldsAsync("once", Content(50), cancellationToken).ConfigureAwait(false)
            ? Passed("a second create of the same name is refused and changes nothing")
            : Failed("a second create was refused, but the object's bytes changed");
    }

    private async ValueTask<(CheckOutcome, string)> RaceAsync(CancellationToken cancellationToken)
    {
        for (var round = 0; round < 3; round++)
        {
            var name = $"race-{round}";
            var created = await Task.WhenAll(Enumerable.Range(1, Racers).Select(
                i => Task.Run(() => CreateAsync(name, Content(i * 1000), cancellationToken).AsTask(), cancellationToken)))
                .ConfigureAwait(false);
            var winners = created.Count(c => c);
            if (winners != 1) return Failed($"{winners} of {Racers} writers were told that they created the same object");
            if (!await HoldsAsync(name, Content((Array.IndexOf(created, true) + 1) * 1000), cancellationToken).ConfigureAwait(false))
                return Failed("the object holds the bytes of a writer that was told that it came too late");
        }

        return Passed("exactly one won, three times, and its bytes are there");
    }

    private async ValueTask<(CheckOutcome, string)> LargeAsync(CancellationToken cancellationToken)
    {
        _large = Content(options.LargeSize);
        var began = time.GetTimestamp();
        await CreateAsync("large", _large, cancellationToken).ConfigureAwait(false);
        var written = time.GetElapsedTime(began);
        began = time.GetTimestamp();
        var whole = await HoldsAsync("large", _large, cancellationToken).ConfigureAwait(false);
        var read = time.GetElapsedTime(began);
        _figures = _figures with { WriteRate = _large.Length / written.TotalSeconds, ReadRate = _large.Length / read.TotalSeconds };
        return whole
            ? Passed($"{Rate(_figures.WriteRate)} up, {Rate(_figures.ReadRate)} down, one at a time")
            : Failed("it reads back as other bytes");
    }

    private async ValueTask<(CheckOutcome, string)> RangesAsync(CancellationToken cancellationToken)
    {
        var end = _large.Length;
        foreach (var (offset, length) in new[]
        {
            (0, 1), (1, 4095), (end / 2, 70_000), (end - 1, 1), (end - 10, 100), (end, 10), (end + 5, 10),
        })
        {
            var buffer = new byte[length];
            var read = await store.ReadAsync(Name("large"), offset, buffer, cancellationToken).ConfigureAwait(false);
            var expected = Math.Clamp(end - offset, 0, length);
            if (read != expected || !buffer.AsSpan(0, read).SequenceEqual(_large.AsSpan(Math.Min(offset, end), expected)))
                return Failed($"a read of {length} bytes at {offset} of {end} gave {read} bytes or wrong ones");
        }

        return Passed("begin, middle, end and past the end");
    }

    private async ValueTask<(CheckOutcome, string)> ListAsync(CancellationToken cancellationToken)
    {
        var names = Enumerable.Range(0, options.ListedObjects).Select(i => $"list/{i % 3}/{i * 7 % 100:00}-{i}").ToArray();
        await Parallel.ForEachAsync(
            names, cancellationToken, async (n, token) => await CreateAsync(n, Content(10), token).ConfigureAwait(false))
            .ConfigureAwait(false);
        var expected = names.Select(Name).Order(StringComparer.Ordinal).ToList();
        if (!(await NamesAsync("list/", cancellationToken).ConfigureAwait(false)).SequenceEqual(expected))
            return Failed("objects just created are missing from the listing, or it is not in order: listings are stale");
        await store.DeleteAsync(expected[5], cancellationToken).ConfigureAwait(false);
        _names.Remove(expected[5]);
        expected.RemoveAt(5);
        return (await NamesAsync("list/", cancellationToken).ConfigureAwait(false)).SequenceEqual(expected)
            ? Passed($"{names.Length} objects, complete and in order at once; one deleted is gone at once")
            : Failed("an object just deleted is still listed: listings are stale");
    }

    private async ValueTask<(CheckOutcome, string)> ClockAsync(CancellationToken cancellationToken)
    {
        var before = time.GetUtcNow();
        await CreateAsync("clock", Content(1), cancellationToken).ConfigureAwait(false);
        var after = time.GetUtcNow();
        if (await store.FindAsync(Name("clock"), cancellationToken).ConfigureAwait(false) is not { } found)
            return Failed("the object was not found");
        // Services tell whole seconds: anything from one before the request to its end is no drift.
        var drift = found.LastModified < before.AddSeconds(-1) ? found.LastModified - before
            : found.LastModified > after.AddSeconds(1) ? found.LastModified - after : TimeSpan.Zero;
        _figures = _figures with { ClockDrift = drift };
        var side = drift < TimeSpan.Zero ? "behind" : "ahead of";
        var text = string.Create(CultureInfo.InvariantCulture, $"{Math.Abs(drift.TotalSeconds):0.0} s {side} ours");
        return drift.Duration() > GreatestDrift ? Failed($"{text}; set this machine's clock (NTP), services refuse such requests")
            : drift.Duration() > NotableDrift ? (CheckOutcome.Warning, $"{text}; set this machine's clock (NTP)")
            : Passed(drift == TimeSpan.Zero ? "agrees with ours" : text);
    }

    private async ValueTask<(CheckOutcome, string)> LatencyAsync(CancellationToken cancellationToken)
    {
        var creates = new TimeSpan[Samples];
        var reads = new TimeSpan[Samples];
        var buffer = new byte[1000];
        for (var i = 0; i < Samples; i++)
        {
            var began = time.GetTimestamp();
            await CreateAsync($"latency-{i}", Content(1000), cancellationToken).ConfigureAwait(false);
            creates[i] = time.GetElapsedTime(began);
            began = time.GetTimestamp();
            await store.ReadAsync(Name($"latency-{i}"), 0, buffer, cancellationToken).ConfigureAwait(false);
            reads[i] = time.GetElapsedTime(began);
        }

        _figures = _figures with { CreateLatency = Median(creates), ReadLatency = Median(reads) };
        return Passed(string.Create(
            CultureInfo.InvariantCulture,
            $"{Median(creates).TotalMilliseconds:0.0} ms to create, {Median(reads).TotalMilliseconds:0.0} ms to read 1 KB "
            + $"(median of {Samples})"));
    }

    private async ValueTask<(CheckOutcome, string)> DeleteAsync(CancellationToken cancellationToken)
    {
        StoreException? refused = null;
        foreach (var name in _names.ToArray())
        {
            try
            {
                await store.DeleteAsync(name, cancellationToken).ConfigureAwait(false);
                _names.Remove(name);
            }
            catch (StoreAccessException e)
            {
                refused = e;
                break;
            }
        }

        if (store is IProbedStore probed && refused is null) await probed.RemoveProbeAsync(cancellationToken).ConfigureAwait(false);
        if (refused is not null)
            return options.NeedsDelete
                ? (CheckOutcome.Warning, $"refused, so pruning cannot be done from here: {refused.Message}")
                : Passed(
                    $"refused, as it should be for a host that only writes; {_names.Count} objects of this test stay below {_folder}/");
        if ((await NamesAsync("", cancellationToken).ConfigureAwait(false)).Count > 0)
            return Failed($"objects that were deleted are still listed below {_folder}/");
        return options.NeedsDelete
            ? Passed("permitted, and nothing is left behind")
            : (CheckOutcome.Warning,
                "permitted, though no retention policy is configured here: an identity that can only write and read would do, and could "
                + "not be made to destroy the backups");
    }

    private async ValueTask<bool> CreateAsync(string name, byte[] content, CancellationToken cancellationToken)
    {
        lock (_names) _names.Add(Name(name));
        return await store.CreateAsync(Name(name), content, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<bool> HoldsAsync(string name, byte[] content, CancellationToken cancellationToken)
    {
        var buffer = new byte[content.Length + 1];
        return await store.ReadAsync(Name(name), 0, buffer, cancellationToken).ConfigureAwait(false) == content.Length
            && buffer.AsSpan(0, content.Length).SequenceEqual(content);
    }

    private async ValueTask<List<string>> NamesAsync(string below, CancellationToken cancellationToken)
    {
        var names = new List<string>();
        await foreach (var info in store.ListAsync($"{_folder}/{below}", cancellationToken).ConfigureAwait(false)) names.Add(info.Name);
        return names;
    }

    private string Name(string name) => $"{_folder}/{name}";

    /// <summary>Bytes that no store can compress, the same for the same length.</summary>
    private static byte[] Content(int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }

    private static TimeSpan Median(TimeSpan[] times) => times.Order().ElementAt(times.Length / 2);

    private static string Rate(double? rate) => string.Create(CultureInfo.InvariantCulture, $"{rate / 1e6:0} MB/s");

    private static (CheckOutcome, string) Passed(string finding) => (CheckOutcome.Passed, finding);

    private static (CheckOutcome, string) Failed(string finding) => (CheckOutcome.Failed, finding);
}
