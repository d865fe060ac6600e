using System.Text.Json.Nodes;
using FunctionsBackup.Components.Files.Backup;
using FunctionsBackup.Components.PostgreSql;

namespace FunctionsBackup.Tests.Components.PostgreSql.Backup;

public sealed class DetailsTests
{
    private const string Least = """
        {"systemIdentifier":"7","serverVersion":150018,"timeline":1,"startLsn":"0/2000028","stopLsn":"0/2000100",
         "startTime":"2026-11-25T22:00:00+00:00","stopTime":"2026-11-25T22:00:01+00:00","walSegmentSize":16777216,"mode":"direct"}
        """;

    [Fact]
    public void What_an_earlier_program_did_not_write_has_its_usual_value()
    {
        var details = PostgresBackupDetails.FromJson(JsonNode.Parse(Least)!.AsObject());
        details.BlockSize.ShouldBe(8192);
        details.Tablespaces.ShouldBeEmpty();
        details.Continuity.ShouldBeNull();
        var files = FilesBackupDetails.FromJson(JsonNode.Parse("""{"paths":{"a":"/a"}}""")!.AsObject())!;
        files.Include.ShouldBeEmpty();
        files.Users.ShouldBeEmpty();
    }

    [Fact]
    public void Details_come_back_as_they_were()
    {
        var details = PostgresBackupDetails.FromJson(JsonNode.Parse(Least)!.AsObject()) with
        {
            Tablespaces = [new PostgresTablespace(16390, "/space")],
            SettledBeforeNanoseconds = 5,
            Continuity = new PostgresContinuity(1, 2, ulong.MaxValue, 4),
        };
        var json = details.ToJson();
        json["continuity"]!["slotsInode"]!.ToJsonString().ShouldBe("18446744073709551615");
        PostgresBackupDetails.FromJson(json).ToJson().ToJsonString().ShouldBe(json.ToJsonString());
    }
}
