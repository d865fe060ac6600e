namespace FunctionsBackup.Operations.Configuration;

/// <summary>One thing that is wrong, and where. Never holds a secret.</summary>
/// <param name="Source">The file as the user named it, or <c>environment variable NAME</c>.</param>
/// <param name="Line">1-based; 0: no position (an environment variable, a missing file).</param>
/// <param name="Column">1-based; 0: no position.</param>
/// <param name="Message">One sentence on what is wrong, with the mend.</param>
public sealed record ConfigurationError(string Source, int Line, int Column, string Message)
{
    public override string ToString() => Line == 0 ? $"{Source}: {Message}" : $"{Source}:{Line}:{Column}: {Message}";
}

/// <summary>The configuration cannot be used (exit code 2). The message has one line for each error.</summary>
public sealed class ConfigurationException : Exception
{
    public ConfigurationException(IReadOnlyList<ConfigurationError> errors) : base(string.Join('\n', errors)) => Errors = errors;

    public ConfigurationException(string message, Exception? inner = null) : base(message, inner) => Errors = [];

    /// <summary>Each with its place, in the order of the file; empty if the error has no place.</summary>
    public IReadOnlyList<ConfigurationError> Errors { get; }
}
