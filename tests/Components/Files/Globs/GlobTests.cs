using System.Text;
using FunctionsBackup.Components.Files.Globs;

namespace FunctionsBackup.Tests.Components.Files.Globs;

public sealed class GlobTests
{
    [Theory]
    [InlineData("*.wav", "a.wav")]
    [InlineData("*.wav", "deep/er/a.wav")]
    [InlineData("*.wav", "deep/.wav")]
    [InlineData("/a", "a")]
    [InlineData("a/b", "a/b")]
    [InlineData("**/b", "b")]
    [InlineData("**/b", "x/y/b")]
    [InlineData("a/**/b", "a/b")]
    [InlineData("a/**/b", "a/x/y/b")]
    [InlineData("a/**", "a/x/y")]
    [InlineData("a/**/b/**/c", "a/b/x/b/c")]
    [InlineData("calls/*/2026-??-*.json", "calls/room7/2026-11-22.json")]
    [InlineData("[a-c]x", "bx")]
    [InlineData("[!a-c]x", "dx")]
    [InlineData("[]]x", "]x")]
    [InlineData("\\*x", "*x")]
    [InlineData("a?c", "aéc")]
    [InlineData("a*b*c", "a--b--b--c")]
    [InlineData("***", "x/anything")]
    public void Matches(string glob, string path) => Glob.Parse(glob).IsMatch(Encoding.UTF8.GetBytes(path), false).ShouldBeTrue();

    [Theory]
    [InlineData("*.wav", "a.wave")]
    [InlineData("/a", "x/a")]
    [InlineData("a/b", "x/a/b")]
    [InlineData("a/*", "a/b/c")]
    [InlineData("a/**", "a")]
    [InlineData("a/**/b", "a/x/y/c")]
    [InlineData("[a-c]x", "dx")]
    [InlineData("[!a-c]x", "ax")]
    [InlineData("\\*x", "ax")]
    [InlineData("a?c", "ac")]
    [InlineData("build/", "build")]
    [InlineData("A", "a")]
    public void DoesNotMatch(string glob, string path) => Glob.Parse(glob).IsMatch(Encoding.UTF8.GetBytes(path), false).ShouldBeFalse();

    [Fact]
    public void A_slash_at_the_end_matches_directories_only() => Glob.Parse("build/").IsMatch("x/build"u8, true).ShouldBeTrue();

    [Fact]
    public void Names_are_bytes()
    {
        byte[] name = [(byte)'a', 0xFF, (byte)'b'];
        Glob.Parse("a?b").IsMatch(name, false).ShouldBeTrue();
        Glob.Parse("a*").IsMatch(name, false).ShouldBeTrue();
    }

    [Fact]
    public void The_last_match_decides()
    {
        var globs = GlobSet.Parse(["*.log", "!important.log"]);
        globs.IsMatch("a/x.log"u8, false).ShouldBeTrue();
        globs.IsMatch("a/important.log"u8, false).ShouldBeFalse();
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("!")]
    [InlineData("a//b")]
    [InlineData("../a")]
    [InlineData("[a-")]
    [InlineData("a\\")]
    public void Nonsense_is_refused_and_named(string glob) =>
        Should.Throw<FormatException>(() => Glob.Parse(glob)).Message.ShouldContain($"'{glob}'");

    [Fact]
    public void Many_stars_take_no_exponential_time()
    {
        var name = Encoding.ASCII.GetBytes(new string('a', 255));
        Glob.Parse(string.Concat(Enumerable.Repeat("*a", 60)) + "b").IsMatch(name, false).ShouldBeFalse();
        var deep = Encoding.ASCII.GetBytes(string.Join('/', Enumerable.Repeat("a", 500)));
        Glob.Parse(string.Concat(Enumerable.Repeat("**/a/", 40)) + "b").IsMatch(deep, false).ShouldBeFalse();
    }
}
