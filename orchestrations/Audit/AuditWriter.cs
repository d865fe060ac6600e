using System.Text.Json;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Audit;

namespace FunctionsBackup.Orchestrations.Audit;

/// <summary>
/// Writes what waits as segments of this machine's chain. Any number of processes may do so at once, without a lock: the creation of a
/// segment's number decides, and who comes second looks what the first one wrote. Killed anywhere, nothing is written twice or lost: what
/// waits is removed after its segment is there and before a head is noted or gone on from that lies behind that segment, whoever wrote it, and
/// the head is read before what waits.
/// </summary>
internal sealed class AuditWriter(BackupRepository repository, AuditFolder folder, TimeProvider time, Action<string> warn)
{
    private readonly AuditChains _chains = repository.Audit;
    private readonly AuditSpool _spool = new(folder);
    private readonly string _host = Environment.MachineName;

    /// <summary>Writes until nothing waits.</summary>
    /// <param name="given">The key of a host that only writes, which was let in with it; null: this machine has one, or makes one.</param>
    /// <param name="cancellationToken">Stops between segments.</param>
    public async ValueTask FlushAsync(AuditSigner? given, CancellationToken cancellationToken)
    {
        using var own = given is null ? folder.LoadOrCreateSigner(repository.Id, warn) : null;
        var signer = given ?? own!;
        var state = folder.ReadState(repository.Id) ?? new AuditState();
        // The head before what waits is read: who had a segment behind this head has removed what the head's holds.
        var head = state.Head is { } known && known.Writer == signer.Writer ? known : null;
        if (head is null && await _spool.CountAsync(cancellationToken) == 0) return;
        head ??= await FindHeadAsync(signer.Writer, cancellationToken);
        var waiting = await _spool.ReadAsync(cancellationToken);
        if (waiting.Count == 0) return;
        // Who only writes cannot read how far others are; they see how far it is.
        var others = repository.IsWriteOnly
            ? new OtherHeads([], [], Introduced: true)
            : await new OtherChains(_chains, signer.Writer).FindNewAsync(state.Others ?? [], cancellationToken);
        if (!others.Introduced)
        {
            if (state.Head is not null)
                warn($"The record {AuditNames.WriterOf(signer.Writer)} of this machine's audit log was lost or removed; it is made anew.");
            await _chains.IntroduceAsync(signer, _host, time.GetUtcNow(), cancellationToken);
        }

        while (waiting.Count > 0)
        {
            head = await AppendAsync(signer, head, waiting, others.Fresh, cancellationToken);
            await _spool.RemoveAsync(waiting.Select(w => w.Id).ToHashSet());
            state = state with { Head = head, Others = others.All };
            folder.WriteState(repository.Id, state);
            others = others with { Fresh = [] };
            waiting = await _spool.ReadAsync(cancellationToken);
        }
    }

    /// <summary>Adds one segment with those of the entries that no segment has yet.</summary>
    /// <returns>The chain's head.</returns>
    private async ValueTask<AuditHead> AppendAsync(
        AuditSigner signer, AuditHead head, IReadOnlyList<(string Id, ReadOnlyMemory<byte> Line)> waiting, IReadOnlyList<AuditHead> others,
        CancellationToken cancellationToken)
    {
        var left = waiting.ToList();
        while (left.Count > 0)
        {
            var made = await _chains.AppendAsync(signer, head, left.ConvertAll(w => w.Line), others, _host, time.GetUtcNow(), cancellationToken);
            if (made is not null) return made;
            // Another process has that number, or this one before it was killed: what it wrote need not be written again.
            (head, var written) = await PassAsync(head, cancellationToken);
            left.RemoveAll(w => written.Contains(w.Id));
            // Before there is a segment behind it: whoever begins at that one would take what still waits for unwritten.
            await _spool.RemoveAsync(written);
        }

        return head;
    }

    /// <summary>Goes past the segment behind <paramref name="head"/>.</summary>
    private async ValueTask<(AuditHead Head, HashSet<string> Ids)> PassAsync(AuditHead head, CancellationToken cancellationToken)
    {
        try
        {
            if (await _chains.ReadAsync(head.Writer, head.Sequence + 1, cancellationToken) is { } taken)
                return (taken.Head, [.. taken.Lines().Select(IdOf).OfType<string>()]);
            return (head, []); // there is none after all: try again
        }
        catch (DamageException e)
        {
            // Verification names it. The chain goes on behind it, from the last segment that holds.
            warn($"{e.Message} The audit log goes on behind it; 'fbackup audit verify' says more.");
            return (head with { Sequence = head.Sequence + 1 }, []);
        }
    }

    /// <summary>Where the chain ends, where this machine does not know.</summary>
    private async ValueTask<AuditHead> FindHeadAsync(string writer, CancellationToken cancellationToken)
    {
        var last = 0L;
        await foreach (var sequence in _chains.ListAsync(writer, cancellationToken)) last = sequence;
        // One before the last: so that what the last one holds is seen as written.
        for (var at = last - 1; at > 0; at--)
        {
            try
            {
                if (await _chains.ReadHeaderAsync(writer, at, cancellationToken) is { } found) return found.Head with { Sequence = at };
            }
            catch (DamageException)
            {
                continue;
            }
        }

        return AuditHead.Before(writer);
    }

    private static string? IdOf(ReadOnlyMemory<byte> line)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            return document.RootElement.TryGetProperty("id", out var id) && id.ValueKind == JsonValueKind.String ? id.GetString() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
