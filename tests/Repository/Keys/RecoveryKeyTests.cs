using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Keys;

namespace FunctionsBackup.Tests.Repository.Keys;

public sealed class RecoveryKeyTests
{
    [Fact]
    public void The_text_reads_back_and_has_groups_of_four()
    {
        for (var round = 0; round < 50; round++)
        {
            using var key = RecoveryKey.Create();
            var text = key.ToText();
            text.ShouldMatch("^FBRK(-[0-9A-HJKMNP-TV-Z]{4}){14}$");
            using var read = RecoveryKey.Parse(text);
            read.Bytes.SequenceEqual(key.Bytes).ShouldBeTrue();
            key.ToString()!.ShouldNotContain(text[5..9]);
        }
    }

    [Fact]
    public void People_may_type_it_as_they_like()
    {
        using var key = RecoveryKey.Create();
        var text = key.ToText();
        foreach (var typed in new[]
        {
            text.ToLowerInvariant(), text.Replace("-", ""), text[5..], $"  {text.Replace('-', ' ')}\r\n",
            text.Replace('0', 'o').Replace('1', 'l'),
            text[..4] + text[4..].Replace('0', 'O').Replace('1', 'I'), $"Keep this in the safe.\n\n{text}\nMade on Sunday.\n",
        })
        {
            using var read = RecoveryKey.Parse(typed);
            read.Bytes.SequenceEqual(key.Bytes).ShouldBeTrue(typed);
        }
    }

    [Fact]
    public void Typing_mistakes_are_noticed()
    {
        using var key = RecoveryKey.Create();
        var text = key.ToText();
        for (var i = 5; i < text.Length; i++)
        {
            if (text[i] == '-') continue;
            var wrong = text.ToCharArray();
            wrong[i] = wrong[i] == '7' ? '8' : '7';
            Should.Throw<WrongKeyException>(() => RecoveryKey.Parse(new string(wrong)));
            wrong[i] = 'U';
            Should.Throw<WrongKeyException>(() => RecoveryKey.Parse(new string(wrong))).Message.ShouldContain($"group {(i - 5) / 5 + 1} ");
            Should.Throw<WrongKeyException>(() => RecoveryKey.Parse(text.Remove(i, 1))).Message.ShouldContain("55");
        }

        foreach (var nothing in new[] { "", "FBRK", "hello", new string('é', 56), new string('0', 10_000) })
            Should.Throw<WrongKeyException>(() => RecoveryKey.Parse(nothing));
    }
}
