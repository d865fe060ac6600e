using FunctionsBackup.Tests.Servers;
using Npgsql;

namespace FunctionsBackup.Tests.Components.PostgreSql.Backup;

/// <summary>Does to a server, in an order chosen by a seed, all that may move, remake or rewrite pages.</summary>
internal sealed class RandomChanges(PostgresServer server, Random random)
{
    private static readonly string[] Tables = ["a", "b", "c"];

    private readonly List<string> _log = [];

    /// <summary>What was done, for messages.</summary>
    public string Log => string.Join("; ", _log.TakeLast(40));

    /// <summary>Their answers are the same on a good copy.</summary>
    public IEnumerable<string> Queries =>
        Tables.Select(table => $"select count(*), sum(n), md5(string_agg(n || t, '' order by n, t)) from {table}").Append("select last_value from s");

    public async Task PrepareAsync()
    {
        await server.ExecuteAsync($"create tablespace space location '{await server.NewDirectoryAsync("space")}'");
        foreach (var table in Tables)
        {
            await server.ExecuteAsync($"create table {table} as select n, repeat(md5(n::text), 1 + n % 20) t, point(n, n % 100) p, array[n] v "
                + "from generate_series(1, 6000) n");
        }

        await server.ExecuteAsync("create index a_n on a (n); create index a_p on a using gist (p); create index b_t on b using hash (t); "
            + "create index c_v on c using gin (v); create index c_n on c using brin (n) with (pages_per_range = 4); create sequence s");
        await server.ExecuteAsync("create unlogged table scratch as select generate_series(1, 3000) n");
    }

    public async Task ApplyAsync(int count)
    {
        for (var i = 0; i < count; i++) await ApplyAsync();
    }

    /// <summary>Tables are plain ones again, so that their rows can be compared.</summary>
    public async Task SettleAsync()
    {
        foreach (var table in Tables) await RunAsync($"alter table {table} set logged");
    }

    private async Task ApplyAsync()
    {
        var table = Tables[random.Next(Tables.Length)];
        var (from, step) = (random.Next(6000), random.Next(2, 400));
        var sql = random.Next(29) switch
        {
            0 or 1 or 2 => $"update {table} set t = md5(t) || t where n % {step} = 1 and length(t) < 1500",
            3 or 4 => $"insert into {table} select n, md5(n::text), point(n, 1), array[n, n + 1] from generate_series({from}, {from + step}) n",
            5 or 6 => $"delete from {table} where n between {from} and {from + (step * 3)}",
            7 or 8 => $"vacuum {table}",
            9 => $"vacuum (freeze, analyze) {table}",
            10 => $"vacuum full {table}",
            11 => $"delete from {table} where ctid >= '({20 + (step / 4)},0)'::tid; vacuum {table}; "
                + $"insert into {table} select n, repeat('e', 500), point(n, 1), array[n] from generate_series({from}, {from + 1500}) n",
            12 => $"begin; truncate {table}; insert into {table} select n, repeat(md5(n::text), 5), point(n, 2), array[n] from generate_series(1, 4000) n; "
                + (from % 2 == 0 ? "commit" : "rollback"),
            13 => $"begin; create table fresh (n int); insert into fresh select generate_series(1, 5000); truncate fresh; "
                + "insert into fresh select generate_series(1, 3000); commit; drop table if exists older; alter table fresh rename to older",
            14 => "reindex table " + table,
            15 => "drop index if exists extra; create index extra on a using spgist (t)",
            16 => "drop index if exists extra; create index extra on b using gist (p)",
            17 => $"alter table {table} set tablespace {(from % 2 == 0 ? "space" : "pg_default")}",
            18 => $"alter table {table} set unlogged; alter table {table} set logged",
            19 => $"begin; insert into {table} select n, repeat('r', 900), point(n, 3), array[n] from generate_series(1, 2000) n; rollback",
            20 => $"select count(nextval('s')) from generate_series(1, {step})",
            21 => $"select lo_from_bytea(0, decode(repeat(md5('{from}'), 3000), 'hex'))",
            22 => $"select sum(n) from {table}",
            23 => "drop database if exists copy; create database copy template template1",
            24 => "drop database if exists copy; create database copy template template1 strategy file_copy",
            25 => "drop database if exists copy; create database copy oid 400000 template template1 strategy file_copy",
            26 => "checkpoint",
            27 => $"insert into scratch select generate_series(1, {step}); create temp table t{from} as select * from {table}",
            _ => $"begin; update {table} set n = n + 1 where n % {step} = 0; savepoint p; delete from {table} where n % 2 = 0; rollback to p; commit",
        };
        await RunAsync(sql);
    }

    /// <summary>Statement by statement, since several of them refuse to share a transaction.</summary>
    private async Task RunAsync(string sql)
    {
        _log.Add(sql);
        await using var connection = new NpgsqlConnection(server.ConnectionString + ";Pooling=false");
        await connection.OpenAsync();
        foreach (var statement in sql.Split("; "))
        {
            await using var command = new NpgsqlCommand(statement, connection);
            await command.ExecuteNonQueryAsync();
        }
    }
}
