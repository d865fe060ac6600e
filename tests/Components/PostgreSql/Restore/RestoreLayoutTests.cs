using FunctionsBackup.Components.Files;
using FunctionsBackup.Components.PostgreSql;
using FunctionsBackup.Components.PostgreSql.Restore;

namespace FunctionsBackup.Tests.Components.PostgreSql.Restore;

public sealed class RestoreLayoutTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("fblayout").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void A_mapping_by_place_or_by_oid_moves_a_tablespace()
    {
        var layout = Plan(new PostgresRestoreOptions($"{_root}/data")
        {
            TablespaceMappings = [TablespaceMapping.Parse($"{_root}/old/={_root}/new1"), TablespaceMapping.Parse($"16401={_root}/new2")],
        }, new PostgresTablespace(16400, $"{_root}/old"), new PostgresTablespace(16401, $"{_root}/other"));
        layout.Roots.Select(r => (r.Prefix, r.Target)).ShouldBe(
            [("pgdata", $"{_root}/data"), ("pg_tblspc/16400", $"{_root}/new1"), ("pg_tblspc/16401", $"{_root}/new2")]);
    }

    [Fact]
    public void Without_a_mapping_the_old_place_is_used_only_when_it_is_empty()
    {
        var tablespace = new PostgresTablespace(16400, $"{_root}/old");
        Plan(new PostgresRestoreOptions($"{_root}/data"), tablespace).Tablespaces[0].Directory.ShouldBe($"{_root}/old");
        Directory.CreateDirectory($"{_root}/old/PG_15_202209061");
        var error = Should.Throw<RestoreRefusedException>(() => Plan(new PostgresRestoreOptions($"{_root}/data"), tablespace));
        error.Message.ShouldContain("--tablespace-mapping 16400=");

        // A restore in place may go there again only if the directory's own link leads there.
        Should.Throw<RestoreRefusedException>(() => Plan(new PostgresRestoreOptions($"{_root}/data") { Delta = true }, tablespace));
        Directory.CreateDirectory($"{_root}/data/pg_tblspc");
        File.CreateSymbolicLink($"{_root}/data/pg_tblspc/16400", $"{_root}/old");
        Plan(new PostgresRestoreOptions($"{_root}/data") { Delta = true }, tablespace).Tablespaces[0].Directory.ShouldBe($"{_root}/old");
    }

    [Fact]
    public void A_tablespace_inside_the_data_directory_is_no_place_but_its_own()
    {
        Plan(new PostgresRestoreOptions($"{_root}/data"), new PostgresTablespace(16400, "pg_tblspc/16400")).Tablespaces[0]
            .ShouldBe(new TablespaceTarget(16400, $"{_root}/data/pg_tblspc/16400", true));
        Refuse("contain each other", $"16400={_root}/data/inside");
        Refuse("contain each other", $"16400={_root}");
        Refuse("contain each other", $"16400={_root}/data");
    }

    [Fact]
    public void Wrong_mappings_are_refused()
    {
        Refuse("no tablespace '/elsewhere'", $"/elsewhere={_root}/new");
        Refuse("mapped twice", $"16400={_root}/a", $"/old={_root}/b");
        File.WriteAllText($"{_root}/file", "");
        Refuse("not empty", $"16400={_root}/file");
    }

    [Theory]
    [InlineData("a=b")]
    [InlineData("/a")]
    [InlineData("=/b")]
    [InlineData("/a=")]
    [InlineData("/a=/b=/c")]
    [InlineData("x16400=/b")]
    public void A_mapping_of_another_form_is_an_error(string text) => Should.Throw<FormatException>(() => TablespaceMapping.Parse(text));

    [Fact]
    public void An_equals_sign_in_a_path_is_escaped() =>
        TablespaceMapping.Parse(@"/a\=b=/c").ShouldBe(new TablespaceMapping("/a=b", "/c"));

    [Theory]
    [InlineData("/")]
    [InlineData("relative/data")]
    public void The_target_is_an_absolute_directory_below_the_root(string target) =>
        Should.Throw<RestoreRefusedException>(() => Plan(new PostgresRestoreOptions(target)));

    private void Refuse(string reason, params string[] mappings) => Should.Throw<RestoreRefusedException>(() => Plan(
        new PostgresRestoreOptions($"{_root}/data") { TablespaceMappings = [.. mappings.Select(TablespaceMapping.Parse)] },
        new PostgresTablespace(16400, "/old"))).Message.ShouldContain(reason);

    private static RestoreLayout Plan(PostgresRestoreOptions options, params PostgresTablespace[] tablespaces) =>
        RestoreLayout.Plan(options, SampleDetails.Of(15, tablespaces));
}
