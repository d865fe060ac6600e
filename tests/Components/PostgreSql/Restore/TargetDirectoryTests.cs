using System.Diagnostics;
using System.Globalization;
using FunctionsBackup.Components.Files;
using FunctionsBackup.Components.PostgreSql.Restore;

namespace FunctionsBackup.Tests.Components.PostgreSql.Restore;

public sealed class TargetDirectoryTests : IDisposable
{
    private const ulong Identifier = 7345678901234567890;
    private readonly string _root = Directory.CreateTempSubdirectory("fbtarget").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void A_missing_or_empty_directory_is_taken()
    {
        Check($"{_root}/new").ShouldBeFalse();
        Check(_root).ShouldBeFalse();
    }

    [Fact]
    public void A_directory_with_something_in_it_is_refused_without_leave()
    {
        MakeCluster();
        Refuse("--delta");
        Check(_root, delta: true).ShouldBeTrue();
        Check(_root, overwrite: true).ShouldBeTrue();
    }

    [Fact]
    public void What_is_no_data_directory_is_never_changed_in_place()
    {
        File.WriteAllText($"{_root}/letter.txt", "dear");
        Refuse("no PostgreSQL data directory", overwrite: true);
        Refuse("no PostgreSQL data directory", delta: true);
    }

    [Fact]
    public void Another_version_or_cluster_is_refused_unless_it_may_be_overwritten()
    {
        MakeCluster(version: "14");
        Refuse("of PostgreSQL 14", delta: true);
        MakeCluster(identifier: 1);
        Refuse("system identifier 1", delta: true);
        Check(_root, overwrite: true).ShouldBeTrue();
    }

    [Fact]
    public void A_stale_pid_file_does_not_hinder_but_a_running_server_does()
    {
        MakeCluster();
        File.WriteAllText($"{_root}/postmaster.pid", "2147483646\n/data\n");
        Check(_root, delta: true).ShouldBeTrue();

        // A process whose name is postgres, which is all that the check knows.
        var program = $"{_root}/global/postgres";
        File.Copy("/bin/sleep", program);
        using var process = Process.Start(program, "60");
        try
        {
            File.WriteAllText($"{_root}/postmaster.pid", process.Id.ToString(CultureInfo.InvariantCulture) + "\n");
            Refuse("A server runs", delta: true);
            Refuse("A server runs", overwrite: true);
        }
        finally
        {
            process.Kill();
            process.WaitForExit();
        }
    }

    private void MakeCluster(string version = "15", ulong identifier = Identifier)
    {
        Directory.CreateDirectory($"{_root}/global");
        File.WriteAllText($"{_root}/PG_VERSION", version + "\n");
        File.WriteAllBytes($"{_root}/global/pg_control", [.. BitConverter.GetBytes(identifier), .. new byte[8184]]);
    }

    private void Refuse(string reason, bool delta = false, bool overwrite = false) =>
        Should.Throw<RestoreRefusedException>(() => Check(_root, delta, overwrite)).Message.ShouldContain(reason);

    private static bool Check(string directory, bool delta = false, bool overwrite = false) =>
        TargetDirectory.Check(directory, new PostgresRestoreOptions(directory) { Delta = delta, Overwrite = overwrite }, SampleDetails.Of(15));
}
