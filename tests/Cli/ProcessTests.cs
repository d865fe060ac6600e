using System.Diagnostics;

namespace FunctionsBackup.Tests.Cli;

/// <summary>Signals, pipes and full disks.</summary>
public sealed class ProcessTests : IDisposable
{
    private readonly Fbackup _fbackup = new();

    public ProcessTests()
    {
        _fbackup.WriteConfiguration("    postgres: { connection: env:PGCONNECTION }");
        _fbackup.Environment["PGCONNECTION"] = "Host=127.0.0.1;Port=1;Username=nobody;Password=hidden-PLANTED;Timeout=5";
    }

    public void Dispose() => _fbackup.Dispose();

    [Theory]
    [InlineData(Signal.Interrupt)]
    [InlineData(Signal.Terminate)]
    public async Task A_signal_ends_it_with_130(int signal)
    {
        _fbackup.Run("init", "--yes").Expect(0);
        using var process = _fbackup.Start("wal", "receive");
        // The first complaint shows that it is at work: nobody listens on that port.
        var complaint = await process.StandardError.ReadLineAsync();
        Signal.Send(process, signal);
        var rest = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        process.ExitCode.ShouldBe(130, complaint + rest);
        (complaint + rest).ShouldNotContain("PLANTED");
    }

    [Fact]
    public void A_reader_that_goes_away_is_no_failure()
    {
        var (code, error) = Shell("\"$0\" config show --all | true; exit ${PIPESTATUS[0]}");
        code.ShouldBe(0, error);
        error.ShouldBeEmpty();
    }

    [Fact]
    public void Output_that_cannot_be_written_is_a_failure()
    {
        var (code, error) = Shell("\"$0\" config show > /dev/full");
        code.ShouldBe(1, error);
        error.ShouldStartWith("fbackup: ");
    }

    [Fact]
    public void An_unreachable_server_is_one_sentence_without_its_password()
    {
        _fbackup.Run("init", "--yes").Expect(0);
        var ran = _fbackup.Run("backup", "run", "--type", "postgres").Expect(1);
        ran.Error.ShouldStartWith("fbackup: ");
        ran.Error.TrimEnd('\n').ShouldNotContain("\n");
        ran.Error.ShouldNotContain("PLANTED");
        _fbackup.Environment["FBACKUP_DEBUG"] = "1";
        _fbackup.Run("backup", "run", "--type", "postgres").Expect(1).Error.ShouldNotContain("PLANTED");
    }

    private (int Code, string Error) Shell(string script)
    {
        var start = new ProcessStartInfo("/bin/bash", ["-c", script, Fbackup.Program])
        {
            WorkingDirectory = _fbackup.Folder, RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, error);
    }
}
