using FunctionsBackup.Components.Configuration.Diffs;

namespace FunctionsBackup.Tests.Components.Configuration;

public sealed class LineDiffTests
{
    [Fact]
    public void Texts_that_are_equal_have_no_diff() => LineDiff.Unified(["a", "b"], ["a", "b"]).ShouldBeEmpty();

    [Fact]
    public void A_changed_line_stands_between_three_of_context()
    {
        string[] old = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];
        string[] now = ["1", "2", "3", "4", "five", "6", "7", "8", "9"];
        LineDiff.Unified(old, now).ShouldBe("@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
    }

    [Fact]
    public void New_and_removed_files_are_one_hunk()
    {
        LineDiff.Unified([], ["a", "b"]).ShouldBe("@@ -0,0 +1,2 @@\n+a\n+b\n");
        LineDiff.Unified(["a", "b"], []).ShouldBe("@@ -1,2 +0,0 @@\n-a\n-b\n");
    }

    [Fact]
    public void The_diff_applied_to_the_old_text_makes_the_new_one()
    {
        for (var seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            List<string> old = [.. Enumerable.Range(0, random.Next(40)).Select(_ => $"line {random.Next(12)}")], now = [.. old];
            for (var edits = random.Next(20); edits > 0; edits--)
            {
                if (now.Count > 0 && random.Next(2) == 0) now.RemoveAt(random.Next(now.Count));
                else now.Insert(random.Next(now.Count + 1), $"line {random.Next(12)}");
            }

            var diff = LineDiff.Unified(old, now);
            Apply(old, diff).ShouldBe(now, $"seed {seed}:\n{diff}");
        }
    }

    /// <summary>As patch does it, without any tolerance.</summary>
    private static List<string> Apply(List<string> old, string diff)
    {
        var (made, at) = (new List<string>(), 0);
        foreach (var line in diff.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.StartsWith("@@", StringComparison.Ordinal))
            {
                var range = line.Split(' ')[1][1..].Split(',');
                var begin = int.Parse(range[0], System.Globalization.CultureInfo.InvariantCulture) - (range[1] == "0" ? 0 : 1);
                while (at < begin) made.Add(old[at++]);
                continue;
            }

            if (line[0] != '+') old[at++].ShouldBe(line[1..]);
            if (line[0] != '-') made.Add(line[1..]);
        }

        while (at < old.Count) made.Add(old[at++]);
        return made;
    }

    [Fact]
    public void What_differs_in_everything_is_replaced_in_bounded_time()
    {
        var diff = LineDiff.Unified([.. Enumerable.Range(0, 5000).Select(i => $"a{i}")], [.. Enumerable.Range(0, 5000).Select(i => $"b{i}")]);
        diff.Split('\n').Count(l => l.StartsWith('-')).ShouldBe(5000);
        diff.Split('\n').Count(l => l.StartsWith('+')).ShouldBe(5000);
    }
}
