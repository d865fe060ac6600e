using FunctionsBackup.Repository.Sealing;
using FunctionsBackup.Repository.Witnesses;

namespace FunctionsBackup.Repository.Verification;

/// <summary>Verifies what is neither pack nor index: records of recovery points, pins, keys, witnesses, WAL.</summary>
internal sealed class RecordVerification(BackupRepository repository)
{
    private const string RepairMend = "fbackup repository repair";
    private const string KeyMend = "fbackup repository keys";
    private const string ReplicaMend = "fbackup repository replicate";

    /// <summary>What nobody removed and is not there: records of recovery points, pins and key slots whose witness is left.</summary>
    public async ValueTask<IReadOnlyList<Defect>> FindLostAsync(CancellationToken cancellationToken)
    {
        var defects = new List<Defect>();
        await foreach (var name in repository.FindLostAsync(cancellationToken).ConfigureAwait(false))
        {
            var id = name[(name.LastIndexOf('/') + 1)..];
            var isKey = name.StartsWith("keys/", StringComparison.Ordinal);
            var copy = isKey || await HasCopyAsync(name, cancellationToken).ConfigureAwait(false)
                ? "repair puts it back from its copy"
                : "its copy is damaged, so put it back from a replica, or let repair accept the loss";
            defects.Add(new Defect(name, $"{name} is missing although nobody removed it; {copy}.", isKey ? [] : [id], RepairMend));
        }

        return defects;
    }

    private async ValueTask<bool> HasCopyAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            var copy = WitnessStore.NameOf(name);
            return await repository.Sealed.ReadAsync(SealedKind.Witness, copy, cancellationToken).ConfigureAwait(false) is not null;
        }
        catch (DamageException)
        {
            return false;
        }
    }

    /// <summary>Keys and records that no recovery point needs to be read, but somebody will need one day.</summary>
    public async ValueTask<IReadOnlyList<Defect>> FindDamageAsync(CancellationToken cancellationToken)
    {
        var defects = new List<Defect>();
        foreach (var damage in await repository.FindKeyDamageAsync(cancellationToken).ConfigureAwait(false))
            defects.Add(new Defect(damage.ObjectName, damage.Message, [], KeyMend));
        await foreach (var damage in RecordCheck.FindDamageAsync(repository, cancellationToken).ConfigureAwait(false))
        {
            var hasCopy = damage.ObjectName.StartsWith("pins/", StringComparison.Ordinal)
                || damage.ObjectName.StartsWith("witness/", StringComparison.Ordinal);
            defects.Add(new Defect(damage.ObjectName, damage.Message, [], hasCopy ? RepairMend : ReplicaMend));
        }

        return defects;
    }

    /// <summary>Objects whose loss would not be noticed. No damage: an older program wrote them, or their writer was interrupted.</summary>
    public async ValueTask<IReadOnlyList<string>> FindUnwitnessedAsync(CancellationToken cancellationToken) =>
        await repository.FindUnwitnessedAsync(cancellationToken)
            .Select(name => $"{name} has no witness (there is no {WitnessStore.NameOf(name)}); the next prune makes it.")
            .ToListAsync(cancellationToken).ConfigureAwait(false);
}
