using FunctionsBackup.Operations.Audit;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Orchestrations.Audit;

/// <summary>Entries that wait on this machine for the next segment.</summary>
internal sealed class AuditSpool(AuditFolder folder)
{
    /// <summary>Entries that wait at most; beyond, they are counted and lost, so that a flood fills no disk.</summary>
    public const int MaximumWaiting = 20_000;

    /// <summary>Of one segment.</summary>
    private const int MaximumEntries = 1000, MaximumBytes = 1 << 20;

    public ValueTask<bool> AddAsync(AuditEntry entry, CancellationToken cancellationToken) =>
        folder.Spool.CreateAsync(entry.Id, AuditJson.Write(entry), cancellationToken);

    /// <summary>The oldest that wait, by their ids, as lines: what goes into one segment.</summary>
    public async ValueTask<IReadOnlyList<(string Id, ReadOnlyMemory<byte> Line)>> ReadAsync(CancellationToken cancellationToken)
    {
        var found = new List<(string, ReadOnlyMemory<byte>)>();
        var bytes = 0L;
        if (!folder.Exists) return found;
        await foreach (var info in folder.Spool.ListAsync("", cancellationToken))
        {
            if (found.Count >= MaximumEntries || (found.Count > 0 && bytes + info.Size > MaximumBytes)) break;
            if (await ReadAsync(info, cancellationToken) is not { } line) continue; // another process has written it and removed it here
            bytes += line.Length;
            found.Add((info.Name, line));
        }

        return found;
    }

    public async ValueTask<int> CountAsync(CancellationToken cancellationToken) =>
        folder.Exists ? await folder.Spool.ListAsync("", cancellationToken).CountAsync(cancellationToken) : 0;

    /// <summary>Removes those that wait here.</summary>
    public async ValueTask RemoveAsync(IReadOnlySet<string> ids)
    {
        // Not to be broken off: what is in the repository is not to be written again.
        var names = await folder.Spool.ListAsync("", CancellationToken.None).Select(i => i.Name).ToListAsync();
        foreach (var name in names.Where(ids.Contains)) await folder.Spool.DeleteAsync(name, CancellationToken.None);
    }

    private async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(ObjectInfo info, CancellationToken cancellationToken)
    {
        try
        {
            var line = new byte[Math.Min(info.Size, MaximumBytes)];
            var read = await folder.Spool.ReadAsync(info.Name, 0, line, cancellationToken);
            // Somebody who can write here can spoil it; that something was there is still to be known.
            return AuditJson.Read(line.AsSpan(0, read)) is { } entry && entry.Id == info.Name
                ? line.AsMemory(0, read)
                : AuditJson.Write(new AuditEntry
                {
                    Id = info.Name,
                    At = info.LastModified.ToUniversalTime(),
                    Action = AuditActions.AuditLost,
                    Outcome = AuditOutcome.Failed,
                    Actor = AuditActor.OfRequest(null),
                    Host = Environment.MachineName,
                    Error = "An entry that waited on this machine cannot be read.",
                });
        }
        catch (ObjectNotFoundException)
        {
            return null;
        }
    }
}
