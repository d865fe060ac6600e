using FunctionsBackup.Components.PostgreSql.Backup;
using FunctionsBackup.Components.PostgreSql.Pages;

namespace FunctionsBackup.Tests.Components.PostgreSql.Pages;

public sealed class RelationFileTests
{
    [Theory]
    [InlineData("pgdata/global/1262", 1664u, 0u, 1262u, RelationFork.Main, 0u)]
    [InlineData("pgdata/base/5/16384_vm.1", 1663u, 5u, 16384u, RelationFork.VisibilityMap, 1u)]
    [InlineData("pgdata/base/5/16384_init", 1663u, 5u, 16384u, RelationFork.Init, 0u)]
    [InlineData("pg_tblspc/16390/PG_15_202209061/5/16391.12", 16390u, 5u, 16391u, RelationFork.Main, 12u)]
    [InlineData("pg_tblspc/16390/PG_17_202406281/5/16391_fsm", 16390u, 5u, 16391u, RelationFork.FreeSpaceMap, 0u)]
    public void Relations_are_known_by_their_paths(string path, uint tablespace, uint database, uint number, RelationFork fork, uint segment)
    {
        RelationFile.TryParse(path, out var file).ShouldBeTrue();
        file.ShouldBe(new RelationFile(tablespace, database, number, fork, segment));
    }

    [Theory]
    [InlineData("pgdata/base/5/PG_VERSION")]
    [InlineData("pgdata/base/5/pg_filenode.map")]
    [InlineData("pgdata/base/5/t3_16384")]
    [InlineData("pgdata/base/5/16384.0")]
    [InlineData("pgdata/base/5/16384_x")]
    [InlineData("pgdata/base/5/99999999999")]
    [InlineData("pgdata/base/5/-1")]
    [InlineData("pgdata/base/x/16384")]
    [InlineData("pgdata/pg_xact/0000")]
    [InlineData("pg_tblspc/16390/5/16391")]
    [InlineData("16384")]
    [InlineData("")]
    public void Other_files_are_not_relations(string path) => RelationFile.TryParse(path, out _).ShouldBeFalse();

    [Fact]
    public void Temporary_relations_and_all_but_the_init_fork_of_unlogged_ones_are_left_out()
    {
        string[] names = ["1", "1_fsm", "2", "2_init", "2_vm", "2.1", "t3_4", "t3_4_fsm", "t3_4.1", "t3", "tx_4", "PG_VERSION"];
        BackupExclusions.Relations(names).ShouldBe(["1", "1_fsm", "2_init", "t3", "tx_4", "PG_VERSION"]);
        BackupExclusions.IsExcluded("pg_internal.init.123").ShouldBeTrue();
        BackupExclusions.IsExcluded("pgsql_tmp123.4").ShouldBeTrue();
        BackupExclusions.IsExcluded("pg_internal").ShouldBeFalse();
        BackupExclusions.IsStoredEmpty("pg_replslot").ShouldBeTrue();
    }
}
