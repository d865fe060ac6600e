namespace FunctionsBackup.Storage;

/// <summary>A store could not do what it was asked. The message is one sentence on what is wrong, with the mend.</summary>
public class StoreException : Exception
{
    public StoreException(string message, Exception? inner = null, bool transient = false) : base(message, inner) =>
        IsTransient = transient;

    /// <summary>Whether the same call may succeed if tried again.</summary>
    public bool IsTransient { get; }
}

/// <summary>There is no object of that name.</summary>
public sealed class ObjectNotFoundException(string name, string store)
    : StoreException($"Object {name} is missing from {store}.")
{
    public string Name { get; } = name;
}

/// <summary>The store has no room left.</summary>
public sealed class StoreFullException(string message, Exception? inner = null) : StoreException(message, inner);

/// <summary>The store refuses: read-only, or no permission.</summary>
public sealed class StoreAccessException(string message, Exception? inner = null) : StoreException(message, inner);

/// <summary>The store itself is not there (any more): folder removed, mount gone, bucket deleted.</summary>
public sealed class StoreUnavailableException(string message, Exception? inner = null) : StoreException(message, inner, transient: true);
