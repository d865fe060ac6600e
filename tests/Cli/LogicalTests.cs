using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.Cli;

/// <summary>A database that gives no access to its files.</summary>
public sealed class LogicalTests : IDisposable
{
    private readonly Fbackup _fbackup = new();

    public void Dispose() => _fbackup.Dispose();

    [Fact]
    public async Task A_user_without_replication_is_backed_up_through_sql_and_said_so()
    {
        await using var server = await PostgresServer.StartAsync();
        await server.ExecuteAsync("create role app login");
        await server.ExecuteAsync("create database app owner app");
        _fbackup.Environment["PGCONNECTION"] = $"postgresql://app@127.0.0.1:{server.Port}/app";
        _fbackup.WriteConfiguration("    postgres: { connection: env:PGCONNECTION, databases: [app] }");
        _fbackup.Run("init", "--yes").Expect(0);
        await using (var source = Npgsql.NpgsqlDataSource.Create($"Host=127.0.0.1;Port={server.Port};Username=app;Database=app"))
        await using (var command = source.CreateCommand("create table calls as select g as id from generate_series(1, 500) g"))
            await command.ExecuteNonQueryAsync();

        _fbackup.Run("backup", "run", "--type", "postgres").Expect(3).Error.ShouldContain("This is a logical backup, since the server refuses a physical one");
        _fbackup.Run("backup", "show", "latest", "--json").Expect(0).Json["details"]!["mode"]!.GetValue<string>().ShouldBe("logical");
        _fbackup.Run("backup", "show", "latest").Expect(0);
        _fbackup.Run("backup", "verify", "latest", "--level", "full").Expect(0);
        _fbackup.Run("backup", "verify", "latest", "--level", "restore").Expect(0);
        _fbackup.Run("status").Output.ShouldContain("postgres");
        _fbackup.Run("backup", "prune", "--dry-run").Expect(0);

        _fbackup.Run("restore", "postgres", "latest", "--target", "out").ExitCode.ShouldBe(1);
        _fbackup.Run("restore", "all", "--target", "site", "--plan").Error.ShouldContain("into a server and not into a folder");
        var refused = _fbackup.Run("restore", "postgres", "latest", "--target", "server", "--plan").Expect(3);
        refused.Error.ShouldContain("holds objects already");
        refused.Output.ShouldContain("500 rows of 1 table");
        await using var other = await PostgresServer.StartAsync();
        _fbackup.Environment["OTHER"] = other.Uri;
        _fbackup.Run("restore", "postgres", "latest", "--target", "env:OTHER", "--json").Events[^1]["rows"]!.GetValue<long>().ShouldBe(500);
        _fbackup.Run("restore", "postgres", "latest", "--target", "env:OTHER", "--clean").Output.ShouldContain("500 rows");
        _fbackup.Run("restore", "postgres", "latest", "--target", "out", "--clean").Expect(2).Error.ShouldContain("into a server");
        await using var restored = Npgsql.NpgsqlDataSource.Create($"Host=127.0.0.1;Port={other.Port};Username=postgres;Database=app");
        await using var count = restored.CreateCommand("select count(*) from calls");
        (await count.ExecuteScalarAsync()).ShouldBe(500L);
    }
}
