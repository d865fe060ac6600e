namespace FunctionsBackup.Orchestrations.Instances;

/// <summary>What was asked for makes no sense here, and nothing was started. The message is one sentence on why, with the mend.</summary>
public sealed class InvalidRequestException(string message) : Exception(message);
