using FunctionsBackup.Operations.Configuration;
using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Orchestrations.Replication;

/// <summary>Finds replicas by their names.</summary>
public static class ReplicaAccess
{
    /// <exception cref="InvalidRequestException">There is none of that name.</exception>
    public static ReplicaSettings Find(BackupConfiguration configuration, string name) =>
        configuration.Replicas.FirstOrDefault(r => r.Name == name) ?? throw new InvalidRequestException(Unknown(configuration, name));

    /// <summary>A folder that is not there may never have been begun: says how.</summary>
    internal static Failure Explain(BackupConfiguration configuration, string name, Failure failure, Exception exception) =>
        exception is StoreUnavailableException && configuration.Replicas.Any(r => r.Name == name && r.StorageBackend == "filesystem")
            ? failure with { Sentence = $"{failure.Sentence} If this replica was never begun, run 'fbackup repository replicate {name} --create'." }
            : failure;

    private static string Unknown(BackupConfiguration configuration, string name)
    {
        var shown = new string([.. name.Take(40).Select(c => char.IsControl(c) ? '?' : c)]);
        if (configuration.Replicas.Count == 0)
            return $"There is no replica '{shown}': none is configured; add it under replication.replicas in {configuration.File}.";
        var names = configuration.Replicas.Select(r => r.Name).ToList();
        return NearestName.Find(name, names) is { } near ? $"There is no replica '{shown}'; did you mean '{near}'?"
            : $"There is no replica '{shown}'; configured: {string.Join(", ", names)}.";
    }
}
