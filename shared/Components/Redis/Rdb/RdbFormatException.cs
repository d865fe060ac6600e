namespace FunctionsBackup.Components.Redis.Rdb;

/// <summary>Bytes that are no RDB, or one that this version does not know. One sentence with the mend.</summary>
public sealed class RdbFormatException(string message) : Exception(message);
