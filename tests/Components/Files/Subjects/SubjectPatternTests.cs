using System.Text;
using FunctionsBackup.Components.Files.Subjects;

namespace FunctionsBackup.Tests.Components.Files.Subjects;

/// <summary>Whose data a path holds.</summary>
public sealed class SubjectPatternTests
{
    [Theory]
    [InlineData("calls/{subject}/**", "calls/alice/a/b.wav", "alice")]
    [InlineData("calls/{subject}/**", "calls/alice", null)]
    [InlineData("calls/{subject}/**", "other/calls/alice/x", null)]
    [InlineData("/calls/{subject}/**", "calls/a.b+c/x", "a.b+c")]
    [InlineData("**/caller-{subject}-*.wav", "caller-bob-1.wav", "bob")]
    [InlineData("**/caller-{subject}-*.wav", "a/b/caller-bob-smith-1.wav", "bob")]
    [InlineData("**/caller-{subject}-*.wav", "a/b/caller--1.wav", null)]
    [InlineData("{subject}.json", "é😀.json", "é😀")]
    [InlineData("{subject}.json", "a/b.json", null)]
    [InlineData("a?/{subject}", "ab/x", "x")]
    [InlineData("a?/{subject}", "a/x", null)]
    [InlineData("**/{subject}/end", "x/y/end", "y")]
    [InlineData("**/{subject}/end", "y/end", "y")]
    [InlineData("a*b/{subject}", "a/b/x", null)]
    [InlineData("(x)[y]/{subject}", "(x)[y]/z", "z")]
    public void The_name_stands_where_the_pattern_says(string pattern, string path, string? subject) =>
        SubjectPattern.Parse(pattern).Match(Encoding.UTF8.GetBytes(path)).ShouldBe(subject);

    [Theory]
    [InlineData("calls/*")]
    [InlineData("{subject}/{subject}")]
    [InlineData("a//{subject}")]
    [InlineData("../{subject}")]
    [InlineData("a**/{subject}")]
    [InlineData("{subject}/")]
    [InlineData("")]
    public void Patterns_that_make_no_sense_are_refused(string pattern) => Should.Throw<FormatException>(() => SubjectPattern.Parse(pattern));

    [Fact]
    public void Paths_are_bytes_and_nobody_makes_it_slow()
    {
        var match = SubjectPattern.Parse("{subject}/x").Match([0xFF, 0xFE, .. "/x"u8]);
        match.ShouldNotBeNull();
        SubjectPattern.Parse("**/*a*a*a*a*a*a*{subject}*a*a*a*a*b").Match(Encoding.UTF8.GetBytes(new string('a', 200))).ShouldBeNull();
    }
}
