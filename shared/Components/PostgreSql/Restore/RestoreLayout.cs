using System.Globalization;
using FunctionsBackup.Components.Files;

namespace FunctionsBackup.Components.PostgreSql.Restore;

/// <summary>A tablespace and where it is restored to.</summary>
/// <param name="Oid">Its OID: the name of its link in <c>pg_tblspc</c>.</param>
/// <param name="Directory">Absolute.</param>
/// <param name="IsInPlace">It lies in <c>pg_tblspc</c> itself (allow_in_place_tablespaces): no link.</param>
public sealed record TablespaceTarget(uint Oid, string Directory, bool IsInPlace);

/// <summary>Which part of the backup goes where.</summary>
/// <param name="DataDirectory">Absolute, symbolic links resolved.</param>
/// <param name="Tablespaces">In the order of the backup.</param>
public sealed record RestoreLayout(string DataDirectory, IReadOnlyList<TablespaceTarget> Tablespaces)
{
    /// <summary>What <see cref="TreeRestorer"/> is told.</summary>
    public IReadOnlyList<RestoreRoot> Roots =>
    [
        new RestoreRoot("pgdata", DataDirectory),
        .. Tablespaces.Select(static t => new RestoreRoot(string.Create(CultureInfo.InvariantCulture, $"pg_tblspc/{t.Oid}"), t.Directory)),
    ];

    /// <summary>Decides where everything goes; touches nothing.</summary>
    /// <exception cref="RestoreRefusedException">A directory is in use, inside another, or mapped wrongly.</exception>
    public static RestoreLayout Plan(PostgresRestoreOptions options, PostgresBackupDetails details)
    {
        if (!Path.IsPathRooted(options.TargetDirectory))
            throw new RestoreRefusedException($"'{options.TargetDirectory}' is not an absolute directory.");
        var data = Resolve(options.TargetDirectory);
        if (data == "/") throw new RestoreRefusedException("The root directory cannot be a data directory.");

        foreach (var mapping in options.TablespaceMappings)
            if (!details.Tablespaces.Any(mapping.IsFor))
                throw new RestoreRefusedException(
                    $"The backup has no tablespace '{mapping.Source}' to map; it has {Name(details.Tablespaces)}.");

        var targets = details.Tablespaces.Select(tablespace => Place(options, data, tablespace)).ToList();
        var outside = targets.Where(static t => !t.IsInPlace).Select(static t => t.Directory).Prepend(data).ToList();
        for (var i = 0; i < outside.Count; i++)
            for (var j = 0; j < outside.Count; j++)
                if (i != j && (outside[j] + "/").StartsWith(outside[i] + "/", StringComparison.Ordinal))
                    throw new RestoreRefusedException($"{outside[j]} lies in {outside[i]}; the data directory and tablespaces must not contain each other.");
        return new RestoreLayout(data, targets);
    }

    private static TablespaceTarget Place(PostgresRestoreOptions options, string data, PostgresTablespace tablespace)
    {
        var link = Path.Combine(data, "pg_tblspc", tablespace.Oid.ToString(CultureInfo.InvariantCulture));
        var mappings = options.TablespaceMappings.Where(mapping => mapping.IsFor(tablespace)).ToList();
        if (mappings.Count > 1)
            throw new RestoreRefusedException($"Tablespace {tablespace.Oid} ({tablespace.Location}) is mapped twice; keep one mapping.");
        if (mappings.Count == 1) return new TablespaceTarget(tablespace.Oid, Free(Resolve(mappings[0].Target)), false);
        if (!Path.IsPathRooted(tablespace.Location)) return new TablespaceTarget(tablespace.Oid, link, true);

        // Its old place may belong to the cluster that is still running, or to another one.
        var old = Resolve(tablespace.Location);
        if (IsEmptyOrMissing(old) || (MayReuse(options) && new FileInfo(link).LinkTarget is { } now && Resolve(now) == old))
            return new TablespaceTarget(tablespace.Oid, old, false);
        throw new RestoreRefusedException(
            $"Tablespace {tablespace.Oid} was in {old}, which is not empty; say where it shall go: --tablespace-mapping {tablespace.Oid}=DIRECTORY.");

        string Free(string directory) => MayReuse(options) || IsEmptyOrMissing(directory)
            ? directory
            : throw new RestoreRefusedException($"{directory}, where tablespace {tablespace.Oid} shall go, is not empty; choose another, or restore with --delta.");
    }

    internal static bool MayReuse(PostgresRestoreOptions options) => options.Delta || options.Overwrite;

    internal static bool IsEmptyOrMissing(string directory) =>
        !File.Exists(directory) && (!Directory.Exists(directory) || !Directory.EnumerateFileSystemEntries(directory).Any());

    /// <summary>Without a trailing slash, dots, or symbolic links at its end.</summary>
    private static string Resolve(string path)
    {
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        var directory = new DirectoryInfo(full);
        return directory.LinkTarget is not null && directory.ResolveLinkTarget(returnFinalTarget: true)?.FullName is { } target
            ? Path.TrimEndingDirectorySeparator(target)
            : full;
    }

    private static string Name(IReadOnlyList<PostgresTablespace> tablespaces) =>
        tablespaces.Count == 0 ? "none" : string.Join(", ", tablespaces.Select(static t => $"{t.Oid} ({t.Location})"));
}
