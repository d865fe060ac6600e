using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Audit;

namespace FunctionsBackup.Orchestrations.Audit;

/// <summary>Heads of other writers.</summary>
/// <param name="Fresh">Those that are newer than what this chain has named.</param>
/// <param name="All">The newest that this chain will have named.</param>
/// <param name="Introduced">Whether the writer that looks has a record itself.</param>
internal sealed record OtherHeads(IReadOnlyList<AuditHead> Fresh, IReadOnlyList<AuditHead> All, bool Introduced);

/// <summary>Looks how far the chains of other writers are, so that each chain vouches for the others.</summary>
internal sealed class OtherChains(AuditChains chains, string writer)
{
    /// <summary>Writers that one segment looks at: with more, their turn comes with the next.</summary>
    private const int MaximumWriters = 16;

    /// <summary>Steps that are made one by one; a chain that is further away is listed.</summary>
    private const int MaximumSteps = 4;

    public async ValueTask<OtherHeads> FindNewAsync(IReadOnlyList<AuditHead> known, CancellationToken cancellationToken)
    {
        var heads = known.DistinctBy(h => h.Writer).ToDictionary(h => h.Writer);
        var writers = await chains.ListWritersAsync(cancellationToken).ToListAsync(cancellationToken);
        var introduced = writers.Remove(writer);
        // Those of which nothing was seen for longest come first: the known ones in the order in which they were looked at.
        var order = known.Select((h, i) => (h.Writer, i)).ToDictionary(h => h.Writer, h => h.i);
        var chosen = writers.OrderBy(w => order.GetValueOrDefault(w, -1)).Take(MaximumWriters).ToList();
        var fresh = new List<AuditHead>();
        foreach (var other in chosen)
        {
            if (await FindHeadAsync(other, heads.GetValueOrDefault(other), cancellationToken) is not { } head) continue;
            heads[other] = head;
            fresh.Add(head);
        }

        var looked = chosen.ToHashSet();
        return new OtherHeads(
            fresh, [.. known.Where(h => !looked.Contains(h.Writer)), .. chosen.Where(heads.ContainsKey).Select(w => heads[w])], introduced);
    }

    /// <summary>Null: it has none that is newer than the known one, or it cannot be read, which verification says.</summary>
    private async ValueTask<AuditHead?> FindHeadAsync(string other, AuditHead? known, CancellationToken cancellationToken)
    {
        var last = known?.Sequence ?? 0;
        var steps = 0;
        while (steps < MaximumSteps && await chains.ExistsAsync(other, last + 1, cancellationToken)) (last, steps) = (last + 1, steps + 1);
        if (steps == MaximumSteps)
            await foreach (var sequence in chains.ListAsync(other, cancellationToken)) last = Math.Max(last, sequence);
        if (last == (known?.Sequence ?? 0)) return null;
        try
        {
            return (await chains.ReadHeaderAsync(other, last, cancellationToken))?.Head;
        }
        catch (DamageException)
        {
            return null;
        }
    }
}
