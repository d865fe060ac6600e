using System.Text;
using FunctionsBackup.Components.PostgreSql;
using FunctionsBackup.Components.PostgreSql.Protocol;

namespace FunctionsBackup.Tests.Components.PostgreSql.Protocol;

public sealed class BaseBackupStreamTests
{
    private static readonly byte[] CopyOut = OldServer.Message('H', new byte[3]);
    private static readonly byte[] CopyDone = OldServer.Message('c');
    private static readonly byte[] Start = OldServer.Result(["0/2000028", "1"]);
    private static readonly byte[] Stop = OldServer.Result(["0/2000100", "1"]);
    private static readonly byte[] Tablespaces = OldServer.Result(["16390", "/space", "8"], [null, null, "16"]);

    [Fact]
    public async Task Servers_before_15_send_a_copy_stream_for_each_archive()
    {
        var answer = OldServer.Join(
            Start, Tablespaces, CopyOut, Data("space"), CopyDone, CopyOut, Data("ba"), Data("se"), CopyDone, CopyOut, Data("{}"), CopyDone, Stop);
        var (server, archives, stream) = await ReadAsync(answer, 140000);

        archives.ShouldBe(["Tablespace 16390: space", "DataDirectory 0: base", "Manifest 0: {}"]);
        (stream.StartLsn, stream.StopLsn, stream.EstimatedBytes).ShouldBe((Lsn.Parse("0/2000028"), Lsn.Parse("0/2000100"), 24 << 10));
        server.ShouldHaveSingleItem().ShouldBe(
            "BASE_BACKUP LABEL 'it''s' PROGRESS FAST NOWAIT TABLESPACE_MAP NOVERIFY_CHECKSUMS MANIFEST 'yes'");
    }

    [Fact]
    public async Task Later_ones_send_a_single_stream_whose_messages_say_what_they_are()
    {
        var answer = OldServer.Join(
            Start, Tablespaces, CopyOut, Data("n16390.tar\0/space\0"), Data("dspa"), Data("p\0\0\0\0\0\0\0\0"), Data("dce"),
            Data("nbase.tar\0\0"), Data("dbase"), Data("m"), Data("d{}"), CopyDone, Stop);
        var (_, archives, stream) = await ReadAsync(answer, 150000);

        archives.ShouldBe(["Tablespace 16390: space", "DataDirectory 0: base", "Manifest 0: {}"]);
        stream.Tablespaces.ShouldHaveSingleItem().ShouldBe(new PostgresTablespace(16390, "/space"));
    }

    [Theory]
    [InlineData("n../../x.tar\0\0")]
    [InlineData("n1.tar\0\0")]
    [InlineData("nbase.zip\0\0")]
    [InlineData("nbase.tar")]
    [InlineData("?")]
    [InlineData("")]
    public async Task What_the_protocol_does_not_know_ends_the_backup(string message)
    {
        var answer = OldServer.Join(Start, Tablespaces, CopyOut, Data(message), CopyDone, Stop);
        (await Should.ThrowAsync<PostgresProtocolException>(() => ReadAsync(answer, 150000))).SqlState.ShouldBe(PostgresProtocolException.ProtocolViolation);
    }

    [Fact]
    public async Task An_error_within_the_stream_is_the_servers_own()
    {
        var error = OldServer.Message('E', OldServer.Text("SERROR"), OldServer.Text("VERROR"), OldServer.Text("C58030"), OldServer.Text("Mdisk gone"), [0]);
        var answer = OldServer.Join(Start, Tablespaces, CopyOut, Data("nbase.tar\0\0"), Data("dba"), error);
        var thrown = await Should.ThrowAsync<PostgresProtocolException>(() => ReadAsync(answer, 150000));
        (thrown.SqlState, thrown.Message).ShouldBe(("58030", "disk gone"));
    }

    [Theory]
    [InlineData(new byte[] { (byte)'T', 0, 0, 0, 3 })]
    [InlineData(new byte[] { (byte)'T', 0x7F, 0xFF, 0xFF, 0xFF })]
    [InlineData(new byte[] { (byte)'T', 0, 0, 0, 6, 0x7F, 0xFF })]
    [InlineData(new byte[] { (byte)'T', 0x80, 0, 0, 0 })]
    public async Task Impossible_lengths_are_refused(byte[] answer) =>
        await Should.ThrowAsync<PostgresProtocolException>(() => ReadAsync(answer, 150000));

    private static byte[] Data(string text) => OldServer.Message('d', Encoding.ASCII.GetBytes(text));

    private static async Task<(List<string> Commands, List<string> Archives, BaseBackupStream Stream)> ReadAsync(byte[] answer, int version)
    {
        await using var server = new OldServer(new Dictionary<string, byte[]> { ["BASE_BACKUP"] = answer });
        await using var connection = await ReplicationConnection.OpenAsync(ServerEndpoint.From(server.ConnectionString), CancellationToken.None);
        var stream = await BaseBackupStream.StartAsync(connection, version, new BaseBackupRequest("it's", true), CancellationToken.None);
        var archives = new List<string>();
        while (await stream.NextArchiveAsync(CancellationToken.None) is { } archive)
            archives.Add($"{archive.Kind} {archive.Tablespace}: {Encoding.ASCII.GetString(await stream.ReadAllAsync(1000, CancellationToken.None))}");
        return (server.Commands, archives, stream);
    }
}
