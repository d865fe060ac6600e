using System.Globalization;

namespace FunctionsBackup.Components.PostgreSql.Pages;

/// <summary>The forks of a relation, by the numbers that WAL summaries use.</summary>
public enum RelationFork
{
    Main = 0,
    FreeSpaceMap = 1,
    VisibilityMap = 2,
    Init = 3,
}

/// <summary>
/// One file of a relation, by its path in the catalog: <c>pgdata/global/1262</c>, <c>pgdata/base/5/16384_vm.1</c>,
/// <c>pg_tblspc/16390/PG_15_202209061/5/16391</c> (PostgreSQL manual, 73.1 Database File Layout).
/// </summary>
/// <param name="Tablespace">OID; 1663 is the default one, 1664 the one of shared catalogs.</param>
/// <param name="Database">OID, 0 for shared catalogs.</param>
/// <param name="Number">File node number.</param>
/// <param name="Fork">Which fork.</param>
/// <param name="Segment">0, 1, … : 1 GB pieces.</param>
public readonly record struct RelationFile(uint Tablespace, uint Database, uint Number, RelationFork Fork, uint Segment)
{
    public const uint DefaultTablespace = 1663;
    public const uint GlobalTablespace = 1664;

    /// <summary>Blocks per segment file, as every packaged server is built (RELSEG_SIZE: 1 GB of 8 KiB pages).</summary>
    public const uint SegmentBlocks = 131072;

    /// <summary>Number of the segment's first block within the relation.</summary>
    public uint FirstBlock => Segment * SegmentBlocks;

    /// <summary>Reads a catalog path; false for all that is not a permanent relation's file.</summary>
    public static bool TryParse(ReadOnlySpan<char> path, out RelationFile file)
    {
        file = default;
        var slash = path.LastIndexOf('/');
        if (slash < 0 || !TryParseName(path[(slash + 1)..], out var number, out var fork, out var segment)) return false;
        var directory = path[..slash];
        if (directory is "pgdata/global")
        {
            file = new RelationFile(GlobalTablespace, 0, number, fork, segment);
            return true;
        }

        const string Base = "pgdata/base/";
        const string Tablespaces = "pg_tblspc/";
        if (directory.StartsWith(Base))
        {
            if (!TryNumber(directory[Base.Length..], out var database)) return false;
            file = new RelationFile(DefaultTablespace, database, number, fork, segment);
            return true;
        }

        if (!directory.StartsWith(Tablespaces)) return false;
        var rest = directory[Tablespaces.Length..];
        var first = rest.IndexOf('/');
        var last = rest.LastIndexOf('/');
        if (first < 1 || last <= first || !rest[(first + 1)..last].StartsWith("PG_")) return false;
        if (!TryNumber(rest[..first], out var tablespace) || !TryNumber(rest[(last + 1)..], out var databaseIn)) return false;
        file = new RelationFile(tablespace, databaseIn, number, fork, segment);
        return true;
    }

    /// <summary>Reads a file's name: <c>16384</c>, <c>16384_fsm</c>, <c>16384.1</c>, <c>16384_vm.2</c>.</summary>
    public static bool TryParseName(ReadOnlySpan<char> name, out uint number, out RelationFork fork, out uint segment)
    {
        number = segment = 0;
        fork = RelationFork.Main;
        var dot = name.IndexOf('.');
        if (dot >= 0)
        {
            if (!TryNumber(name[(dot + 1)..], out segment) || segment is 0 or > uint.MaxValue / SegmentBlocks) return false;
            name = name[..dot];
        }

        var underscore = name.IndexOf('_');
        if (underscore >= 0)
        {
            switch (name[(underscore + 1)..])
            {
                case "fsm": fork = RelationFork.FreeSpaceMap; break;
                case "vm": fork = RelationFork.VisibilityMap; break;
                case "init": fork = RelationFork.Init; break;
                default: return false;
            }

            name = name[..underscore];
        }

        return TryNumber(name, out number);
    }

    /// <summary>A temporary relation's file: <c>t3_16384</c>, with fork and segment as usual.</summary>
    public static bool IsTemporaryName(ReadOnlySpan<char> name)
    {
        if (name.Length < 4 || name[0] != 't') return false;
        var underscore = name.IndexOf('_');
        return underscore > 1 && TryNumber(name[1..underscore], out _) && TryParseName(name[(underscore + 1)..], out _, out _, out _);
    }

    private static bool TryNumber(ReadOnlySpan<char> text, out uint number) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
