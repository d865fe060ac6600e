namespace FunctionsBackup.Repository;

/// <summary>The repository cannot do what it was asked. The message is one sentence on what is wrong, with the mend.</summary>
public class RepositoryException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>There is no repository here, or what is here is not one.</summary>
public sealed class NotARepositoryException(string message, Exception? inner = null) : RepositoryException(message, inner);

/// <summary>The repository was written in a format newer than this program knows.</summary>
public sealed class NewerFormatException(string message) : RepositoryException(message);

/// <summary>No key slot opens with what was given.</summary>
public sealed class WrongKeyException(string message) : RepositoryException(message);

/// <summary>No such recovery point (exit code 4).</summary>
public sealed class SnapshotNotFoundException(string message) : RepositoryException(message);

/// <summary>Bytes of the repository are missing or are not what was written (exit code 5).</summary>
/// <param name="objectName">The object concerned.</param>
/// <param name="message">One sentence on what is wrong, with the mend.</param>
/// <param name="inner">What was found.</param>
public sealed class DamageException(string objectName, string message, Exception? inner = null) : RepositoryException(message, inner)
{
    public string ObjectName { get; } = objectName;
}
