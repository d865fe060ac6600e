using FunctionsBackup.Components.Files.Backup;
using FunctionsBackup.Components.Files.Restore;
using FunctionsBackup.Components.Posix;
using FunctionsBackup.Repository.Catalogs;

namespace FunctionsBackup.Tests.Components.Files;

public sealed class OwnerMapTests : FilesTestBase
{
    private static readonly FilesBackupDetails Details = new()
    {
        Paths = new Dictionary<string, string>(),
        Users = new Dictionary<string, string> { ["1000"] = "voice", ["1001"] = "stranger", ["no number"] = "voice", ["-1"] = "voice" },
        Groups = new Dictionary<string, string> { ["1000"] = "audio" },
    };

    private static readonly CatalogEntry Entry = new() { Path = "a"u8.ToArray(), Kind = EntryKind.Directory, UserId = 1000, GroupId = 1000 };

    [Fact]
    public void Names_that_are_known_here_give_their_numbers_and_others_stay_numbers()
    {
        var map = OwnerMap.ByName(Details, name => name == "voice" ? 500u : null, name => name == "audio" ? 29u : null);
        (map.UserOf(Entry), map.GroupOf(Entry)).ShouldBe((500u, 29u));
        (map.UserOf(Entry with { UserId = 1001 }), map.GroupOf(Entry with { GroupId = 7 })).ShouldBe((1001u, 7u));
        map.Unknown.ShouldBe(["user stranger (1001)"]);
        (OwnerMap.ByNumber.UserOf(Entry), OwnerMap.ByNumber.GroupOf(Entry)).ShouldBe((1000u, 1000u));
    }

    [Fact]
    public void Accounts_are_found_by_name()
    {
        Accounts.UserId("root").ShouldBe(0u);
        Accounts.GroupId("root").ShouldBe(0u);
        Accounts.UserId(Accounts.UserName(Accounts.UserId("nobody")!.Value)!).ShouldBe(Accounts.UserId("nobody"));
        Accounts.UserId("there is nobody of this name").ShouldBeNull();
        Accounts.GroupId("").ShouldBeNull();
    }

    [Fact]
    public async Task A_restore_by_name_gives_files_to_the_account_of_that_name()
    {
        if (!Accounts.IsRoot) return; // nobody else may give files away
        var (nobody, nogroup) = (Accounts.UserId("nobody")!.Value, Accounts.GroupId("nogroup")!.Value);
        Tree.Write("source/a", "owned");
        Chown(Tree["source/a"], nobody, nogroup);
        var snapshot = await BackUpAsync();

        // The backup came from a machine on which these numbers were others': as if names had been noted so.
        var details = FilesBackupDetails.FromJson(snapshot.Details)! with
        {
            Users = new Dictionary<string, string> { [$"{nobody}"] = "root", ["0"] = "no such user here" },
            Groups = new Dictionary<string, string> { [$"{nogroup}"] = "root" },
        };
        var report = await RestoreAsync(snapshot with { Details = details.ToJson() }, o => o with { OwnersByName = true });
        Owner(Tree["target/a"]).ShouldBe((0u, 0u));
        report.Warnings.ShouldHaveSingleItem().ShouldContain("no such user here (0)");
        await RestoreAsync(snapshot, target: "numbers");
        Owner(Tree["numbers/a"]).ShouldBe((nobody, nogroup));
    }

    private static void Chown(string path, uint user, uint group)
    {
        PosixException.Check(PathCalls.OpenDirectory(ByteName.Parse(Path.GetDirectoryName(path)!), out var directory), "open", path);
        using (directory)
            PosixException.Check(DirectoryCalls.SetOwner(directory!, ByteName.Parse(Path.GetFileName(path)), user, group), "give away", path);
    }

    private static (uint User, uint Group) Owner(string path)
    {
        PosixException.Check(PathCalls.OpenDirectory(ByteName.Parse(Path.GetDirectoryName(path)!), out var directory), "open", path);
        using (directory)
        {
            PosixException.Check(DirectoryCalls.Status(directory!, ByteName.Parse(Path.GetFileName(path)), out var status), "look at", path);
            return (status.UserId, status.GroupId);
        }
    }
}
