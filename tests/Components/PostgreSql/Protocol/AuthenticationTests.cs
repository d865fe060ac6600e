using FunctionsBackup.Components.PostgreSql.Protocol;
using FunctionsBackup.Tests.Servers;
using Npgsql;

namespace FunctionsBackup.Tests.Components.PostgreSql.Protocol;

/// <summary>Against real servers: each way to prove who one is, over TCP, TLS and a Unix socket.</summary>
public sealed class AuthenticationTests
{
    private const string Secret = "pä ss'w\\ord";

    [Fact]
    public async Task The_server_is_told_the_password_as_it_asks_and_a_wrong_one_is_refused_without_repeating_it()
    {
        await using var server = await PostgresServer.StartAsync();
        await server.ExecuteAsync($"set password_encryption = 'md5'; create role by_md5 login replication password '{Secret.Replace("'", "''")}'");
        await server.ExecuteAsync($"set password_encryption = 'scram-sha-256'; create role by_scram login replication password '{Secret.Replace("'", "''")}'");
        await File.WriteAllTextAsync(Path.Combine(server.DataDirectory, "pg_hba.conf"), """
            host replication by_md5 127.0.0.1/32 md5
            host replication by_scram 127.0.0.1/32 scram-sha-256
            local replication by_scram password
            local replication postgres trust
            local all all trust
            host all all 127.0.0.1/32 trust
            host replication postgres 127.0.0.1/32 reject
            """);
        await server.ReloadAsync();
        var system = await server.ScalarAsync<string>("select system_identifier::text from pg_control_system()");

        foreach (var user in (string[])["by_md5", "by_scram"])
        {
            (await IdentifyAsync(Tcp(server, user, Secret))).ShouldBe(system);
            var error = await Should.ThrowAsync<PostgresProtocolException>(() => IdentifyAsync(Tcp(server, user, "guess-42")));
            error.SqlState.ShouldBe("28P01");
            error.Severity.ShouldBe("FATAL");
            error.ToString().ShouldNotContain("guess-42");
        }

        (await IdentifyAsync($"Host={server.SocketDirectory};Port={server.Port};Username=by_scram;Password=\"{Secret}\"")).ShouldBe(system);
        (await IdentifyAsync($"postgresql://postgres@{Uri.EscapeDataString(server.SocketDirectory)}:{server.Port}/")).ShouldBe(system);
        (await Should.ThrowAsync<PostgresProtocolException>(() => IdentifyAsync(Tcp(server, "postgres", "")))).SqlState.ShouldBe("28000");
        (await Should.ThrowAsync<PostgresProtocolException>(() => IdentifyAsync(
            $"Host=127.0.0.1;Port={server.Port};Username=by_scram;Passfile=/nonexistent"))).Message.ShouldContain("asks for a password");
    }

    [Fact]
    public async Task Tls_is_used_when_offered_and_the_certificate_is_checked_as_sslmode_says()
    {
        await using var server = await PostgresServer.StartAsync();
        var connection = $"Host=127.0.0.1;Port={server.Port};Username=postgres;SSL Mode=";
        (await Should.ThrowAsync<PostgresProtocolException>(() => IdentifyAsync(connection + "Require"))).Message.ShouldContain("does not offer TLS");
        await IdentifyAsync(connection + "Prefer");

        var (authority, other) = await TestCertificates.WriteAsync(server.DataDirectory, "localhost");
        await server.ConfigureAsync(new Dictionary<string, string> { ["ssl"] = "on" });
        await File.WriteAllTextAsync(
            Path.Combine(server.DataDirectory, "pg_hba.conf"),
            "hostssl all all all trust\nhostssl replication all all trust\nlocal all all trust\n");
        await server.RestartAsync();
        connection = $"Host=127.0.0.1;Port={server.Port};Username=postgres;SSL Mode=";
        var named = $"Host=localhost;Port={server.Port};Username=postgres;SSL Mode=";

        await IdentifyAsync(connection + "Prefer");
        await IdentifyAsync(connection + "Require");
        await IdentifyAsync($"{connection}VerifyCA;Root Certificate={authority}");
        await IdentifyAsync($"{named}VerifyFull;Root Certificate={authority}");
        (await Should.ThrowAsync<PostgresProtocolException>(() => IdentifyAsync(connection + "Disable"))).SqlState.ShouldBe("28000");
        foreach (var refused in (string[])[
            $"{connection}VerifyFull;Root Certificate={authority}", $"{connection}VerifyCA;Root Certificate={other}", connection + "VerifyCA"])
            (await Should.ThrowAsync<PostgresProtocolException>(() => IdentifyAsync(refused))).Message.ShouldContain("TLS with");
    }

    [Fact]
    public async Task Nobody_there_is_one_sentence()
    {
        var error = await Should.ThrowAsync<PostgresProtocolException>(() => IdentifyAsync("Host=127.0.0.1;Port=1;Username=x;Password=secret7"));
        error.Message.ShouldContain("No PostgreSQL server answers at 127.0.0.1:1");
        error.ToString().ShouldNotContain("secret7");
    }

    [Fact]
    public async Task A_command_that_fails_leaves_the_connection_usable()
    {
        await using var server = await PostgresServer.StartAsync();
        await using var connection = await ReplicationConnection.OpenAsync(ServerEndpoint.From(server.ConnectionString), CancellationToken.None);
        var error = await Should.ThrowAsync<PostgresProtocolException>(async () => await connection.ExecuteAsync("NONSENSE", CancellationToken.None));
        error.SqlState.ShouldNotBe(PostgresProtocolException.ProtocolViolation);
        error.Severity.ShouldBe("ERROR");
        (await connection.ShowAsync("wal_segment_size", CancellationToken.None)).ShouldBe("16MB");
        connection.Parameters["server_version"].ShouldStartWith("15");
    }

    private static string Tcp(PostgresServer server, string user, string password) => new NpgsqlConnectionStringBuilder
    {
        Host = "127.0.0.1",
        Port = server.Port,
        Username = user,
        Password = password,
    }.ConnectionString;

    private static async Task<string> IdentifyAsync(string connectionString)
    {
        await using var connection = await ReplicationConnection.OpenAsync(ServerEndpoint.From(connectionString), CancellationToken.None);
        var (system, timeline, _) = await connection.IdentifyAsync(CancellationToken.None);
        timeline.ShouldBe(1u);
        return system;
    }
}
