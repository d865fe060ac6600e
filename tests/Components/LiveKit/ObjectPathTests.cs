using System.Text;
using FunctionsBackup.Components.LiveKit.Snapshots;
using FunctionsBackup.Repository.Catalogs;

namespace FunctionsBackup.Tests.Components.LiveKit;

public sealed class ObjectPathTests
{
    [Theory]
    [InlineData("call-+4930_7@x", "call-+4930_7@x")]
    [InlineData(".", "%2E")]
    [InlineData("..", "%2E.")]
    [InlineData("a/b", "a%2Fb")]
    [InlineData("a%2Fb", "a%252Fb")]
    [InlineData("a\nb\0", "a%0Ab%00")]
    [InlineData("größe 7.x", "größe 7.x")]
    [InlineData("\u202Egnp.exe", "%E2%80%AEgnp.exe")]
    public void Names_are_safe_and_readable(string name, string expected) => ObjectPath.Name(name).ShouldBe(expected);

    [Fact]
    public void Long_names_are_cut_and_stay_apart()
    {
        var (a, b) = (ObjectPath.Name(new string('ü', 3000) + "a"), ObjectPath.Name(new string('ü', 3000) + "b"));
        a.ShouldNotBe(b);
        foreach (var name in new[] { a, b, ObjectPath.Name(new string('/', 3000)) })
        {
            Encoding.UTF8.GetByteCount(name + ".json").ShouldBeLessThanOrEqualTo(255);
            CatalogPath.IsValid(Encoding.UTF8.GetBytes($"rooms/{name}/room.json")).ShouldBeTrue();
        }
    }
}
