namespace FunctionsBackup.Tests.Cli;

public sealed class UsageTests : IDisposable
{
    private readonly Fbackup _fbackup = new();

    public void Dispose() => _fbackup.Dispose();

    [Fact]
    public void Version_is_one_line_on_stdout()
    {
        var ran = _fbackup.Run("--version").Expect(0);
        ran.Output.ShouldMatch(@"^fbackup \d+\.\d+\.\d+\S*\n$");
        ran.Error.ShouldBeEmpty();
    }

    [Fact]
    public void Every_command_has_help()
    {
        var commands = Subcommands([]).ToList();
        commands.Count.ShouldBeGreaterThan(15);
        foreach (var command in commands)
        {
            var help = _fbackup.Run([.. command, "--help"]).Expect(0);
            help.Output.ShouldContain($"fbackup {string.Join(' ', command)}");
            help.Output.ShouldContain("Description:");
            help.Error.ShouldBeEmpty();
        }

        IEnumerable<string[]> Subcommands(string[] path)
        {
            var lines = _fbackup.Run([.. path, "--help"]).Output.Split('\n');
            var at = Array.IndexOf(lines, "Commands:");
            if (at < 0) return [path];
            return lines[(at + 1)..].TakeWhile(l => l.StartsWith("  ", StringComparison.Ordinal)).Where(l => l[2] != ' ')
                .SelectMany(l => Subcommands([.. path, l.Trim().Split(' ')[0]]));
        }
    }

    [Theory]
    [InlineData("bakup", "did you mean 'backup'?")]
    [InlineData("backup lst", "did you mean 'list'?")]
    [InlineData("backup", "see: fbackup backup --help")]
    [InlineData("--frobnicate", "see: fbackup --help")]
    [InlineData("backup list --jsn", "did you mean '--json'?")]
    [InlineData("config check --config", "see: fbackup config check --help")]
    [InlineData("backup show", "see: fbackup backup show --help")]
    [InlineData("", "see: fbackup --help")]
    public void A_wrong_command_line_is_one_sentence_and_exit_code_2(string line, string mend)
    {
        var ran = _fbackup.Run(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Expect(2);
        ran.Output.ShouldBeEmpty();
        ran.Error.ShouldStartWith("fbackup: ");
        ran.Error.ShouldContain(mend);
        ran.Error.TrimEnd('\n').ShouldNotContain("\n");
    }
}
