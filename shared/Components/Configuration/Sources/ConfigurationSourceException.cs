using FunctionsBackup.Storage;

namespace FunctionsBackup.Components.Configuration.Sources;

/// <summary>A source of configuration could not be read or written: one sentence, with the mend, and no secret in it.</summary>
public sealed class ConfigurationSourceException(string message, Exception? inner = null, bool transient = false)
    : StoreException(message, inner, transient);
