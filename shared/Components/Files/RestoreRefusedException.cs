namespace FunctionsBackup.Components.Files;

/// <summary>A restore was refused before anything was written. The message is one sentence on why, with the mend.</summary>
public sealed class RestoreRefusedException(string message) : IOException(message);
