using System.Globalization;

namespace FunctionsBackup.Storage.Locks;

/// <summary>An object cannot be deleted yet.</summary>
public sealed class ObjectLockedException(string name, DateTimeOffset? until, Exception? inner = null) : StoreException(
    until is { } end && end < DateTimeOffset.MaxValue
        ? string.Create(CultureInfo.InvariantCulture, $"Cannot delete object {name}: it is locked until {end.UtcDateTime:yyyy-MM-dd HH:mm}Z; try again then.")
        : $"Cannot delete object {name}: the service says that it is locked; wait until its lock ends, or have a legal hold lifted.",
    inner)
{
    public string Name { get; } = name;

    /// <summary>When the lock ends; null: the service does not say.</summary>
    public DateTimeOffset? Until { get; } = until;
}
