namespace FunctionsBackup.Repository.Writers;

/// <summary>Something was asked that a write-only writer cannot do, since it holds no key to read with.</summary>
public sealed class WriteOnlyException(string what)
    : RepositoryException(
        $"{what} is not possible here: this host holds a writer file, with which it adds recovery points and reads none. Do it on a host that "
        + "has the passphrase, the recovery key, or a key of a service.")
{
    /// <summary>For whoever meets an object in the middle of something else.</summary>
    public static WriteOnlyException Of(string objectName) => new($"Reading {objectName}");
}
