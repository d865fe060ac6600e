using System.Globalization;
using FunctionsBackup.Components.Posix;
using FunctionsBackup.Components.PostgreSql.Pages;
using FunctionsBackup.Repository.Catalogs;

namespace FunctionsBackup.Components.PostgreSql.Backup;

/// <summary>
/// Lists what a base backup of a data directory holds, tablespaces included, by the server's own rules (sendDir in
/// src/backend/backup/basebackup.c). The server runs: names that vanish while listed are passed over.
/// </summary>
/// <param name="versionDirectory">The directory within each tablespace that is this server's: <c>PG_15_202209061</c>.</param>
internal sealed class DataDirectoryScan(string versionDirectory)
{
    public const string Root = "pgdata";
    public const string TablespaceRoot = "pg_tblspc";

    private readonly List<DataFile> _entries = [];
    private readonly List<PostgresTablespace> _tablespaces = [];
    private readonly List<string> _warnings = [];
    private readonly byte[] _buffer = DirectoryNames.NewBuffer();

    /// <summary>Files and directories, in no particular order; <c>global/pg_control</c> is not among them, since it comes last.</summary>
    public IReadOnlyList<DataFile> Entries => _entries;

    public IReadOnlyList<PostgresTablespace> Tablespaces => _tablespaces;

    public IReadOnlyList<string> Warnings => _warnings;

    /// <exception cref="PosixException">A directory cannot be read.</exception>
    public void Run(string dataDirectory, CancellationToken cancellationToken)
    {
        var path = ByteName.Parse(dataDirectory);
        using var root = Open(path, out var status);
        _entries.Add(new DataFile(Root, path, status, true, null));
        // Tablespaces are known first, so that one placed within the data directory is not stored twice.
        FindTablespaces(root, path);
        Walk(root, path, Root, cancellationToken);
        if (_tablespaces.Count == 0) return;

        using var links = Open(ByteName.Join(path, "pg_tblspc"u8), out var linksStatus);
        _entries.Add(new DataFile(TablespaceRoot, path, linksStatus, true, null));
        foreach (var tablespace in _tablespaces)
        {
            var location = ByteName.Parse(tablespace.Location);
            var name = string.Create(CultureInfo.InvariantCulture, $"{TablespaceRoot}/{tablespace.Oid}");
            if (PathCalls.OpenDirectory(location, out var opened) == PosixError.NoEntry) continue;
            using var directory = opened ?? Open(location, out _);
            PosixException.Check(FileCalls.Status(directory, out var locationStatus), "examine", location);
            _entries.Add(new DataFile(name, location, locationStatus, true, null));
            var version = ByteName.Parse(versionDirectory);
            if (DirectoryCalls.OpenDirectory(directory, version, out var inner) != PosixError.None || inner is null) continue;
            using (inner)
            {
                PosixException.Check(FileCalls.Status(inner, out var innerStatus), "examine", location);
                var innerPath = ByteName.Join(location, version);
                _entries.Add(new DataFile($"{name}/{versionDirectory}", innerPath, innerStatus, true, null));
                Walk(inner, innerPath, $"{name}/{versionDirectory}", cancellationToken);
            }
        }
    }

    private void FindTablespaces(Descriptor root, byte[] path)
    {
        if (DirectoryCalls.OpenDirectory(root, "pg_tblspc"u8, out var opened) != PosixError.None || opened is null) return;
        using var links = opened;
        foreach (var (name, status) in List(links, ByteName.Join(path, "pg_tblspc"u8)))
        {
            if (status.Kind != EntryKind.SymbolicLink || !uint.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var oid)) continue;
            if (DirectoryCalls.ReadLink(links, ByteName.Parse(name), out var target) != PosixError.None) continue;
            if (ByteName.TryGetText(target, out var location) && location.StartsWith('/'))
                _tablespaces.Add(new PostgresTablespace(oid, location));
            else
                _warnings.Add($"Tablespace {oid} was left out: its link does not lead to an absolute path.");
        }
    }

    private void Walk(Descriptor directory, byte[] path, string catalogPath, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var listed = List(directory, path);
        IEnumerable<string> names = IsDatabaseDirectory(catalogPath) ? BackupExclusions.Relations(listed.Keys) : listed.Keys;
        foreach (var name in names)
        {
            if (BackupExclusions.IsExcluded(name)) continue;
            var status = listed[name];
            var childPath = ByteName.Join(path, ByteName.Parse(name));
            var child = $"{catalogPath}/{name}";
            if (child is $"{Root}/global/pg_control") continue;
            if (child is $"{Root}/pg_wal")
            {
                AddWalDirectory(childPath);
                continue;
            }

            switch (status.Kind)
            {
                case EntryKind.Directory when _tablespaces.Any(tablespace => childPath.AsSpan().SequenceEqual(ByteName.Parse(tablespace.Location))):
                    break;
                case EntryKind.Directory:
                    _entries.Add(new DataFile(child, childPath, status, true, null));
                    if (BackupExclusions.IsStoredEmpty(name)) break;
                    if (DirectoryCalls.OpenDirectory(directory, ByteName.Parse(name), out var opened) is var error && error == PosixError.NoEntry) break;
                    PosixException.Check(error, "open", childPath);
                    using (opened!) Walk(opened!, childPath, child, cancellationToken);
                    break;
                case EntryKind.File:
                    _entries.Add(new DataFile(child, childPath, status, false, RelationFile.TryParse(child, out var relation) ? relation : null));
                    break;
                case EntryKind.SymbolicLink when catalogPath == $"{Root}/pg_tblspc":
                    break; // made at restore
                case EntryKind.SymbolicLink when BackupExclusions.IsStoredEmpty(name):
                    AddEmpty(childPath, child);
                    break;
                case null:
                    break; // a socket
                default:
                    _warnings.Add($"{ByteName.Display(childPath)} was left out, as the server's own base backups do: it is neither a file nor a directory.");
                    break;
            }
        }
    }

    // pg_wal may be a link to another disk; it is stored as an empty directory with those that the server expects in it.
    private void AddWalDirectory(byte[] path)
    {
        AddEmpty(path, $"{Root}/pg_wal");
        foreach (var inner in (ReadOnlySpan<string>)["archive_status", "summaries"])
            AddEmpty(ByteName.Join(path, ByteName.Parse(inner)), $"{Root}/pg_wal/{inner}");
    }

    private void AddEmpty(byte[] path, string catalogPath)
    {
        if (PathCalls.OpenDirectory(path, out var opened) != PosixError.None || opened is null) return;
        using (opened)
        {
            if (FileCalls.Status(opened, out var status) == PosixError.None) _entries.Add(new DataFile(catalogPath, path, status, true, null));
        }
    }

    /// <summary>Names and what they are, without those that vanished in between or that are not text.</summary>
    private Dictionary<string, FileStatus> List(Descriptor directory, byte[] path)
    {
        var names = new DirectoryNames();
        PosixException.Check(names.Read(directory, _buffer), "list", path);
        var listed = new Dictionary<string, FileStatus>(names.Count, StringComparer.Ordinal);
        for (var i = 0; i < names.Count; i++)
        {
            if (!ByteName.TryGetText(names[i], out var name))
            {
                _warnings.Add($"{ByteName.Display(ByteName.Join(path, names[i]))} was left out: PostgreSQL makes no such names.");
                continue;
            }

            var error = names.Status(directory, i, out var status);
            if (error == PosixError.NoEntry) continue;
            PosixException.Check(error, "examine", ByteName.Join(path, names[i]));
            listed.Add(name, status);
        }

        return listed;
    }

    private static Descriptor Open(byte[] path, out FileStatus status)
    {
        PosixException.Check(PathCalls.OpenDirectory(path, out var opened), "open", path);
        PosixException.Check(FileCalls.Status(opened!, out status), "examine", path);
        return opened!;
    }

    /// <summary><c>pgdata/base/5</c> and <c>pg_tblspc/16390/PG_15_202209061/5</c>.</summary>
    private static bool IsDatabaseDirectory(string catalogPath) => RelationFile.TryParse($"{catalogPath}/1", out var file) && file.Database != 0;
}
