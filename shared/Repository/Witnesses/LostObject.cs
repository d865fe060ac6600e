namespace FunctionsBackup.Repository.Witnesses;

/// <summary>Says that an object was lost whose witness is still there, and what can be done.</summary>
internal static class LostObject
{
    private const string Mend = "'fbackup repository repair' puts it back from its copy";

    public static DamageException Describe(string name) => new(name, $"{name} is missing although nobody removed it; {Mend}.");

    /// <summary>Why nothing may be removed while a recovery point's record is lost: what it needs is not known.</summary>
    public static DamageException RefuseRemoval(string name) => new(
        name,
        $"Nothing was removed, because {name} is missing although nobody removed it, so it is not known what it needs; {Mend}, then prune again.");
}
