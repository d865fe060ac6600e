using FunctionsBackup.Components.PostgreSql.Verification;

namespace FunctionsBackup.Tests.Components.PostgreSql.Servers;

public sealed class ServerUserTests
{
    [Fact]
    public async Task Programs_that_are_started_get_nothing_secret_from_the_environment()
    {
        string[] secrets = ["FBACKUP_PLANTED", "AWS_PLANTED", "PGPLANTED", "PLANTED_TOKEN"];
        foreach (var name in secrets) Environment.SetEnvironmentVariable(name, "secret-PLANTED");
        try
        {
            foreach (var user in new[] { ServerUser.Current, ServerUser.Named("postgres") })
            {
                var ran = await ProgramRun.RunAsync(user.Command("env"), CancellationToken.None);
                ran.ExitCode.ShouldBe(0);
                ran.Output.ShouldContain("PATH=");
                ran.Output.ShouldNotContain("PLANTED");
            }
        }
        finally
        {
            foreach (var name in secrets) Environment.SetEnvironmentVariable(name, null);
        }
    }
}
