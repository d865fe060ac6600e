using FunctionsBackup.Components.Files;
using FunctionsBackup.Components.PostgreSql.Backup;
using FunctionsBackup.Components.PostgreSql.Logical;
using FunctionsBackup.Components.PostgreSql.Verification;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Snapshots;
using FunctionsBackup.Repository.Verification;
using FunctionsBackup.Tests.Conformance;
using FunctionsBackup.Tests.Servers;
using Npgsql;

namespace FunctionsBackup.Tests.Components.PostgreSql.Logical;

/// <summary>Databases through SQL, there and back, on real servers.</summary>
public sealed class LogicalTests : IAsyncLifetime
{
    private BackupRepository _repository = null!;

    public async Task InitializeAsync() => _repository = await TestRepository.CreateAsync();

    public async Task DisposeAsync() => await _repository.DisposeAsync();

    [Theory]
    [InlineData(15, 15)]
    [InlineData(17, 17)]
    [InlineData(15, 17)]
    public async Task A_database_with_everything_comes_back_in_another_server(int from, int to)
    {
        await using var source = await StartAsync(from);
        await source.ExecuteAsync("create database \"shop \"\"Ä\"\"\"");
        await FillAsync(source, "shop \"Ä\"");
        var snapshot = await BackUpAsync(source);
        var details = LogicalBackupDetails.FromJson(snapshot.Details)!;
        details.Databases.Select(d => d.Name).ShouldBe(["postgres", "shop \"Ä\""]);
        snapshot.Warnings[0].ShouldContain("logical backup");
        (await new RepositoryVerifier(_repository).RunAsync(new VerificationOptions(VerificationLevel.Full), null, CancellationToken.None)).Defects.ShouldBeEmpty();

        await using var target = await StartAsync(to);
        var report = await RestoreAsync(snapshot, target);
        report.Warnings.ShouldBeEmpty();
        var (before, after) = (await DigestAsync(source, "shop \"Ä\""), await DigestAsync(target, "shop \"Ä\""));
        after.ShouldBe(before);
        if (from != to) return; // definitions are printed differently then
        (await SchemaAsync(source, target)).ShouldBe(await SchemaAsync(source, source));
        var check = await new LogicalBootCheck(_repository, TimeProvider.System) { BinaryDirectories = [source.BinaryDirectory] }.RunAsync(snapshot, null, CancellationToken.None);
        check.Passed.ShouldBeTrue(string.Join("; ", check.Findings));
    }

    [Fact]
    public async Task A_repeat_stores_what_changed_and_each_stands_alone()
    {
        await using var source = await StartAsync(15);
        await source.ExecuteAsync("create table calls (id bigint primary key, caller text, note text, at timestamptz default now())");
        await source.ExecuteAsync("insert into calls select g, md5(g::text), repeat(md5((g * 7)::text), 3) from generate_series(1, 100000) g");
        await source.ExecuteAsync("vacuum analyze calls");
        var first = await BackUpAsync(source);
        (await BackUpAsync(source)).Statistics.NewBytes.ShouldBeLessThan(20_000); // manifest and definitions, with their times
        var points = new List<(Snapshot Snapshot, string Digest)>();
        for (var i = 1; i <= 3; i++)
        {
            await source.ExecuteAsync($"update calls set note = md5(note || {i}) where id % 100 = {i}");
            var next = await BackUpAsync(source);
            next.Kind.ShouldBe("incremental");
            ((double)next.Statistics.NewBytes / first.Statistics.NewBytes).ShouldBeLessThan(0.03);
            points.Add((next, await RowsAsync(source, "postgres")));
        }

        await source.ExecuteAsync("delete from calls where id > 50000; insert into calls select g, 'new', 'new' from generate_series(200000, 200100) g");
        points.Add((await BackUpAsync(source), await RowsAsync(source, "postgres")));
        await _repository.Snapshots.DeleteAsync(first.Id, CancellationToken.None);
        await using var target = await StartAsync(15);
        foreach (var (snapshot, digest) in points)
        {
            await RestoreAsync(snapshot, target, new LogicalRestoreOptions(target.ConnectionString) { Clean = true });
            (await RowsAsync(target, "postgres")).ShouldBe(digest);
        }
    }

    [Fact]
    public async Task What_is_there_is_refused_or_cleaned_and_parts_are_chosen()
    {
        await using var source = await StartAsync(15);
        await FillAsync(source, "postgres");
        var snapshot = await BackUpAsync(source);
        await using var target = await StartAsync(15);
        await target.ExecuteAsync("create table mine (a int); insert into mine values (1)");
        (await Should.ThrowAsync<RestoreRefusedException>(() => RestoreAsync(snapshot, target))).Message.ShouldContain("public.mine");
        await RestoreAsync(snapshot, target, new LogicalRestoreOptions(target.ConnectionString) { Databases = ["postgres=copy"] });
        (await DigestAsync(target, "copy")).ShouldBe(await DigestAsync(source, "postgres"));
        // Over what is there, twice; a table of others stays.
        for (var i = 0; i < 2; i++)
            (await RestoreAsync(snapshot, target, new LogicalRestoreOptions(target.ConnectionString) { Clean = true })).Warnings.ShouldBeEmpty();
        (await target.ScalarAsync<long>("select count(*) from pg_publication")).ShouldBe(1);
        (await RowsAsync(target, "postgres")).ShouldBe(await RowsAsync(source, "postgres"));
        (await target.ScalarAsync<int>("select a from mine")).ShouldBe(1);

        await using var other = await StartAsync(15);
        await RestoreAsync(snapshot, other, new LogicalRestoreOptions(other.ConnectionString) { Tables = ["public.base"], Globals = false });
        (await other.ScalarAsync<long>("select count(*) from base")).ShouldBe(1);
        (await other.ScalarAsync<long>("select count(*) from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace")).ShouldBe(1);
        await Should.ThrowAsync<RestoreRefusedException>(
            () => RestoreAsync(snapshot, other, new LogicalRestoreOptions(other.ConnectionString) { Tables = ["public.nothing"] }));
        await Should.ThrowAsync<RestoreRefusedException>(
            () => RestoreAsync(snapshot, other, new LogicalRestoreOptions(other.ConnectionString) { Databases = ["nothing"] }));
    }

    [Fact]
    public async Task A_damaged_backup_before_does_not_keep_the_next_from_being_taken()
    {
        await using var source = await StartAsync(15);
        await source.ExecuteAsync("create table calls as select g as id, md5(g::text) as note from generate_series(1, 2000) g");
        await BackUpAsync(source);
        var packs = await _repository.Store.ListAsync("packs/", CancellationToken.None).Select(i => i.Name).ToListAsync();
        foreach (var pack in packs) await _repository.Store.DeleteAsync(pack, CancellationToken.None);
        var next = await BackUpAsync(source);
        next.Kind.ShouldBe("full");
        next.Warnings.ShouldContain(w => w.StartsWith("The backup before this one could not be built on", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_a_table_of_others_refers_to_is_not_dropped()
    {
        await using var source = await StartAsync(15);
        await source.ExecuteAsync("create table calls (id int primary key); insert into calls values (1)");
        var snapshot = await BackUpAsync(source);
        await source.ExecuteAsync("create table mine (call int references calls); insert into mine values (1)");
        (await Should.ThrowAsync<RestoreRefusedException>(() => RestoreAsync(snapshot, source, new LogicalRestoreOptions(source.ConnectionString) { Clean = true })))
            .Message.ShouldContain("mine_call_fkey");
        (await source.ScalarAsync<long>("select count(*) from calls")).ShouldBe(1);
    }

    [Fact]
    public async Task All_is_as_of_one_moment_while_others_write()
    {
        await using var source = await StartAsync(15);
        await source.ExecuteAsync("create table a (n bigint); create table b (n bigint); insert into a select g from generate_series(1, 20000) g; insert into b select n from a");
        using var stop = new CancellationTokenSource();
        var writer = Task.Run(async () =>
        {
            for (var i = 20_001L; !stop.IsCancellationRequested; i++)
            {
                await source.ExecuteAsync($"begin; insert into a values ({i}); insert into b values ({i}); commit");
                await Task.Delay(2);
            }
        });
        var snapshots = new List<Snapshot>();
        for (var i = 0; i < 2; i++) snapshots.Add(await BackUpAsync(source));
        await stop.CancelAsync();
        await writer;
        foreach (var snapshot in snapshots)
        {
            await using var target = await StartAsync(15);
            await RestoreAsync(snapshot, target);
            var sums = await target.QueryAsync("select count(*), sum(n), max(n) from a union all select count(*), sum(n), max(n) from b");
            sums[0].ShouldBe(sums[1]);
        }
    }

    [Fact]
    public async Task A_lost_server_and_a_wrong_password_are_said_so_and_nothing_is_visible()
    {
        await using var source = await StartAsync(15);
        await source.ExecuteAsync("create table calls as select g as id, repeat(md5(g::text), 4) as note from generate_series(1, 60000) g");
        await using var gate = new FlowGate(() => source.Port);
        gate.StopAfter(2_000_000);
        var options = new LogicalBackupOptions($"Host=127.0.0.1;Port={gate.Port};Username=postgres;Database=postgres") { ProgramDirectories = [source.BinaryDirectory] };
        var running = new LogicalBackup(_repository, TimeProvider.System).RunAsync(options, null, CancellationToken.None).AsTask();
        await gate.Stopped;
        await gate.CutAsync();
        (await Should.ThrowAsync<PostgresBackupException>(() => running)).IsTransient.ShouldBeTrue();
        (await _repository.ListSnapshotsAsync(null, CancellationToken.None).CountAsync()).ShouldBe(0);
        gate.Resume();
        await new LogicalBackup(_repository, TimeProvider.System).RunAsync(options, null, CancellationToken.None);
        var none = await Should.ThrowAsync<PostgresBackupException>(async () => await new LogicalBackup(_repository, TimeProvider.System).RunAsync(
            new LogicalBackupOptions($"Host=127.0.0.1;Port={source.Port};Username=nobody;Password=wrong-PLANTED;Database=postgres"), null, CancellationToken.None));
        none.IsTransient.ShouldBeFalse();
        none.ToString().ShouldNotContain("PLANTED");
    }

    private static Task<PostgresServer> StartAsync(int version) => PostgresServer.StartAsync(new PostgresServerOptions { Version = version });

    private async Task<Snapshot> BackUpAsync(PostgresServer server) => await new LogicalBackup(_repository, TimeProvider.System).RunAsync(
        new LogicalBackupOptions(server.ConnectionString) { ProgramDirectories = [server.BinaryDirectory] }, null, CancellationToken.None);

    private async Task<LogicalRestoreReport> RestoreAsync(Snapshot snapshot, PostgresServer target, LogicalRestoreOptions? options = null) =>
        await new LogicalRestore(_repository, TimeProvider.System).RunAsync(
            snapshot, (options ?? new LogicalRestoreOptions(target.ConnectionString)) with { ProgramDirectories = [target.BinaryDirectory] }, null, CancellationToken.None);

    /// <summary>The definitions of all databases and roles, as one program prints them.</summary>
    private static async Task<string> SchemaAsync(PostgresServer program, PostgresServer of)
    {
        var text = await ProgramRun.RunAsync(
            PostgresServer.User.Command(
                Path.Combine(program.BinaryDirectory, "pg_dumpall"), "-h", "127.0.0.1", "-p", of.Port.ToString(System.Globalization.CultureInfo.InvariantCulture), "-U", "postgres", "-s"),
            CancellationToken.None);
        text.ExitCode.ShouldBe(0, text.Errors);
        return string.Join('\n', text.Output.Split('\n').Where(l => !l.StartsWith("-- Dumped from", StringComparison.Ordinal) && !l.StartsWith("\\restrict", StringComparison.Ordinal)
            && !l.StartsWith("\\unrestrict", StringComparison.Ordinal)));
    }

    private static async Task<string> RowsAsync(PostgresServer server, string database)
    {
        await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(server.ConnectionString) { Database = database, Pooling = false }.ConnectionString);
        var tables = new List<string>();
        await using (var command = source.CreateCommand(
            "select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'm') and c.relispopulated and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and c.relname <> 'mine' order by 1"))
        await using (var reader = await command.ExecuteReaderAsync())
            while (await reader.ReadAsync()) tables.Add(reader.GetString(0));
        var digests = new List<string>();
        foreach (var table in tables)
        {
            await using var command = source.CreateCommand($"select count(*) || ' ' || coalesce(md5(string_agg(t::text, '|' order by t::text collate \"C\")), '') from only {table} t");
            digests.Add($"{table} {await command.ExecuteScalarAsync()}");
        }

        return string.Join('\n', digests);
    }

    private static async Task<string> DigestAsync(PostgresServer server, string database)
    {
        await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(server.ConnectionString) { Database = database, Pooling = false }.ConnectionString);
        var more = new List<string>();
        foreach (var sql in new[]
        {
            "select coalesce(string_agg(oid || ' ' || md5(lo_get(oid)) || ' ' || pg_get_userbyid(lomowner) || ' ' || coalesce(lomacl::text, ''), ',' order by oid), '') from pg_largeobject_metadata",
            "select string_agg(schemaname || sequencename || coalesce(last_value, -1), ',' order by 1) from (select schemaname, sequencename, last_value from pg_sequences order by 1, 2) s",
        })
        {
            await using var command = source.CreateCommand(sql);
            more.Add(Convert.ToString(await command.ExecuteScalarAsync(), System.Globalization.CultureInfo.InvariantCulture)!);
        }

        return await RowsAsync(server, database) + "\n" + string.Join('\n', more);
    }

    private static async Task FillAsync(PostgresServer server, string database)
    {
        await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(server.ConnectionString) { Database = database, Pooling = false }.ConnectionString);
        foreach (var sql in new[]
        {
            "create role reader; create role \"Some One\" login password 'secret'; grant reader to \"Some One\"",
            "create extension hstore; create extension pg_trgm; create extension postgres_fdw",
            "create schema \"odd \"\"schema\"\"\"; create type mood as enum ('sad', 'ok'); create domain positive as int check (value > 0); create type pair as (a int, b text)",
            "create table calls (id bigint generated always as identity primary key, caller text not null, seconds positive, mood mood, tags hstore, parts pair, numbers int[], doubled int generated always as (seconds * 2) stored, at timestamptz default now(), data bytea, doc jsonb)",
            "insert into calls (caller, seconds, mood, tags, parts, numbers, data, doc) select 'caller ' || g, g, case g % 2 when 0 then 'sad'::mood end, hstore('k', g::text), row(g, 'x')::pair, array[g, null, -g], decode(md5(g::text), 'hex'), jsonb_build_object('n', g, 'ä', E'tab\\t') from generate_series(1, 3000) g",
            "create index calls_caller on calls using gin (caller gin_trgm_ops); create index on calls (at) where seconds > 10; create statistics calls_stat on caller, mood from calls",
            "create table parent (id int primary key, other int); create table child (id int primary key, parent int references parent); alter table parent add foreign key (other) references child deferrable initially deferred",
            "begin; insert into parent values (1, 1); insert into child values (1, 1); commit",
            "create table measured (at date not null, value int) partition by range (at); create table measured_1 partition of measured for values from ('2026-01-01') to ('2026-07-01'); create table measured_2 partition of measured default; insert into measured select date '2026-01-01' + g, g from generate_series(0, 364) g; create index on measured (value)",
            "create table base (a int); create table derived (b int) inherits (base); insert into base values (1); insert into derived values (2, 3)",
            "create table \"odd \"\"schema\"\"\".\"wéird . name\" (\"col \"\"x\"\"\" text, \"select\" int); insert into \"odd \"\"schema\"\"\".\"wéird . name\" values (E'line\\nbreak\\\\', 1), (null, null), ('', 2)",
            "create table no_columns (); insert into no_columns default values; create table with_acl (a aclitem, b int); insert into with_acl values ('postgres=r/postgres', 1)",
            "create table own_types (a mood[], b hstore[], c positive[], d pair[]); insert into own_types values (array['sad', 'ok']::mood[], array['k=>1'::hstore], array[1, 2]::positive[], array[row(1, E'tab\tand \\\\')::pair])",
            "create unlogged table quick (a int); insert into quick values (7); create sequence lonely start 100; select nextval('lonely'), nextval('lonely'); create sequence unused",
            "create function twice(n int) returns int language sql immutable as 'select n * 2'; create view totals as select mood, sum(twice(seconds)) as s from calls group by 1",
            "create materialized view second_view as select * from totals; create materialized view first_view as select count(*) from second_view; create materialized view never_filled as select 1 as one with no data",
            "create function note() returns trigger language plpgsql as $$begin new.caller := upper(new.caller); return new; end$$; create trigger note before insert on calls for each row execute function note()",
            "alter table calls enable row level security; create policy mine on calls for select to reader using (caller = current_user); grant select on calls to reader; comment on table calls is 'it''s calls'",
            "create server elsewhere foreign data wrapper postgres_fdw options (host 'nowhere'); create foreign table far (a int) server elsewhere",
            "create publication changes for table calls; alter default privileges grant select on tables to reader",
            "select lo_from_bytea(4711, decode(repeat('00ff', 400000), 'hex')); select lo_create(4712); grant select on large object 4711 to reader; alter large object 4712 owner to \"Some One\"",
        })
        {
            await using var command = source.CreateCommand(sql);
            await command.ExecuteNonQueryAsync();
        }
    }
}
