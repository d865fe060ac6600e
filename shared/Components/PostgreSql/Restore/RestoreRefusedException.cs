using FunctionsBackup.Repository;

namespace FunctionsBackup.Components.PostgreSql.Restore;

/// <summary>A restore would harm what is there, or cannot give what was asked. Nothing was changed.</summary>
public sealed class RestoreRefusedException(string message) : RepositoryException(message);
