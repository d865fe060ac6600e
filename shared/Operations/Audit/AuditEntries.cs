namespace FunctionsBackup.Operations.Audit;

/// <summary>Makes an entry complete and keeps it within its limits.</summary>
public static class AuditEntries
{
    /// <summary>The entry with its id, time, host and actor, its texts cut; several if it has more items than one takes.</summary>
    public static IReadOnlyList<AuditEntry> Complete(AuditEntry entry, DateTimeOffset now, string host, AuditActor actor)
    {
        var complete = entry with
        {
            At = entry.At == default ? now : entry.At.ToUniversalTime(),
            Action = Name(entry.Action),
            Actor = Cut(entry.Actor ?? actor),
            Host = Name(entry.Host.Length > 0 ? entry.Host : host),
            RemoteAddress = entry.RemoteAddress is { } address ? Name(address) : null,
            Target = entry.Target is { } target ? Name(target) : null,
            Instance = entry.Instance is { } instance ? Name(instance) : null,
            Operation = entry.Operation is { } operation ? Name(operation) : null,
            Error = entry.Error is { } error ? Sentence(error) : null,
            Facts = entry.Facts.Take(AuditLimits.Facts).DistinctBy(f => Name(f.Key)).ToDictionary(f => Name(f.Key), f => Sentence(f.Value)),
        };
        if (entry.Items.Count == 0) return [complete with { Id = AuditJson.NewId(now) }];
        var parts = entry.Items.Chunk(AuditLimits.Items).Select(
            items => complete with { Id = AuditJson.NewId(now), Items = [.. items.Select(Cut)] }).ToList();
        if (parts.Count == 1) return parts;
        return [.. parts.Select((p, i) => p with { Facts = new Dictionary<string, string>(p.Facts) { ["part"] = $"{i + 1} of {parts.Count}" } })];
    }

    private static AuditActor Cut(AuditActor actor) =>
        actor with { Name = Name(actor.Name), Role = actor.Role is { } role ? Name(role) : null };

    private static AuditItem Cut(AuditItem item) =>
        new(Name(item.Name), Name(item.Outcome), item.Detail is { } detail ? AuditJson.Cut(detail, AuditLimits.Name) : null);

    private static string Name(string text) => AuditJson.Cut(text, AuditLimits.Name);

    private static string Sentence(string text) => AuditJson.Cut(text, AuditLimits.Sentence);
}
