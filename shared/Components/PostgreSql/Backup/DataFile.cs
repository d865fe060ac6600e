using FunctionsBackup.Components.Posix;
using FunctionsBackup.Components.PostgreSql.Pages;

namespace FunctionsBackup.Components.PostgreSql.Backup;

/// <summary>A file or directory that the backup stores.</summary>
/// <param name="CatalogPath">Where it goes: <c>pgdata/base/5/1259</c>.</param>
/// <param name="SourcePath">Where it is, absolute.</param>
/// <param name="Status">As it was when it was listed.</param>
/// <param name="IsDirectory">Otherwise a regular file.</param>
/// <param name="Relation">What it holds, for a relation's file.</param>
internal sealed record DataFile(string CatalogPath, byte[] SourcePath, FileStatus Status, bool IsDirectory, RelationFile? Relation);
