using FunctionsBackup.Components.PostgreSql.Protocol;
using Npgsql;

namespace FunctionsBackup.Tests.Components.PostgreSql.Protocol;

public sealed class ConnectionStringTests
{
    [Fact]
    public void Both_forms_say_the_same()
    {
        var plain = PostgresConnectionString.Parse("Host=db.example;Port=6432;Username=me;Password=p@ss:w/rd;Database=app;SSL Mode=VerifyFull;Root Certificate=/ca.pem");
        var uri = PostgresConnectionString.Parse("postgresql://me:p%40ss%3Aw%2Frd@db.example:6432/app?sslmode=verify-full&sslrootcert=/ca.pem");
        uri.EquivalentTo(plain).ShouldBeTrue();
    }

    [Theory]
    [InlineData("postgres://", null, 5432)]
    [InlineData("postgresql://%2Frun%2Fpostgresql:5433/x", "/run/postgresql", 5433)]
    [InlineData("postgresql:///x?host=/run/postgresql&port=5433", "/run/postgresql", 5433)]
    [InlineData("postgresql://[::1]:5433/x", "::1", 5433)]
    public void Parts_may_be_missing_or_stand_in_the_query(string uri, string? host, int port)
    {
        var parsed = PostgresConnectionString.Parse(uri);
        parsed.Host.ShouldBe(host);
        parsed.Port.ShouldBe(port);
    }

    [Theory]
    [InlineData("postgresql://me:hunter2@h:99999/x")]
    [InlineData("postgresql://me:hunter2@h/x?nonsense=1")]
    [InlineData("Host=h;Password=hunter2;Nonsense=1")]
    [InlineData("hunter2")]
    public void What_cannot_be_read_is_refused_without_repeating_it(string text) =>
        Should.Throw<FormatException>(() => PostgresConnectionString.Parse(text)).ToString().ShouldNotContain("hunter2");

    [Fact]
    public void The_endpoint_takes_the_first_host_and_does_not_show_the_password()
    {
        var endpoint = ServerEndpoint.From("Host=a:6000,b;Username=me;Password=hunter2");
        (endpoint.Host, endpoint.Port, endpoint.User, endpoint.Password, endpoint.SslMode).ShouldBe(("a", 6000, "me", "hunter2", SslMode.Prefer));
        endpoint.ToString().ShouldBe("a:6000");
        ServerEndpoint.From("Host=/run/postgresql;Port=5433;Username=me").SocketPath.ShouldBe("/run/postgresql/.s.PGSQL.5433");
    }

    [Fact]
    public void The_password_file_is_searched_in_order()
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, "# comment\nother:*:*:me:no\nlocalhost:5432:*:me:by\\:socket\n*:*:replica:*:any\\\\thing\n");
            PasswordFile.Find(path, "/run/postgresql", 5432, "x", "me").ShouldBe("by:socket");
            PasswordFile.Find(path, "h", 1, "replica", "u").ShouldBe("any\\thing");
            PasswordFile.Find(path, "h", 1, "x", "u").ShouldBeNull();
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Scram_gives_the_proof_of_the_standards_example_and_believes_only_its_signature()
    {
        // RFC 7677 section 3, with the user's name left empty as PostgreSQL has it, so the proof is checked by the server's signature alone.
        var scram = new ScramSha256("pencil", "rOprNGfwEbeRWgbNEkqO");
        scram.ClientFirst.ShouldBe("n,,n=,r=rOprNGfwEbeRWgbNEkqO");
        var final = scram.ClientFinal("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
        final.ShouldStartWith("c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=");
        Should.Throw<PostgresProtocolException>(() => scram.Verify("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")).Message.ShouldContain("impostor");
        Should.Throw<PostgresProtocolException>(() => scram.Verify("e=other-error"));
        foreach (var hostile in (string[])["", "r=x,s=AA==,i=1", "r=rOprNGfwEbeRWgbNEkqOx,s=!,i=1", "r=rOprNGfwEbeRWgbNEkqOx,s=AAAA,i=999999999999", "r=rOprNGfwEbeRWgbNEkqO,s=AAAA,i=4096"])
            Should.Throw<PostgresProtocolException>(() => new ScramSha256("pencil", "rOprNGfwEbeRWgbNEkqO").ClientFinal(hostile));
    }
}
