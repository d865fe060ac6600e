using FsCheck;
using FsCheck.Fluent;
using FunctionsBackup.Operations.Configuration;

namespace FunctionsBackup.Tests.Operations.Configuration;

public sealed class SettingsTableTests
{
    [Fact]
    public void Every_setting_is_declared_once_with_a_sentence()
    {
        Settings.All.Select(s => s.Path).ShouldBeUnique();
        foreach (var setting in Settings.All)
        {
            setting.Documentation.ShouldEndWith(".");
            setting.Path.ShouldMatch("^[a-z_]+(\\.[a-z_]+)*$");
            Settings.All.ShouldNotContain(s => s.Path.StartsWith(setting.Path + ".", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Every_default_is_valid_as_it_would_be_written()
    {
        foreach (var setting in Settings.All.Where(s => s.Default is not null && !s.Path.StartsWith("components.", StringComparison.Ordinal)))
        {
            var shown = Load.Text("backup_config:", (setting.EnvironmentVariable, setting.Default!)).Effective(setting.Path);
            shown.Value.ShouldBe(Load.Text("backup_config:").Effective(setting.Path).Value);
        }
    }

    /// <summary>Whatever the bytes, the answer is a configuration or an error with a place; nothing else escapes.</summary>
    [Fact]
    public void No_text_does_harm()
    {
        var pieces = Gen.Elements(
            "backup_config:", "\n", "  ", "\t", "global", ": ", "{", "}", "[", "]", "&a ", "*a", "!!str ", "\"", "'", "|", ">", "---", "...", "#", "? ",
            "- ", ",", "%", "\0", "\u2028", "keys", "passphrase", "env:X", "components", "4", "~", "<<");
        var text = Gen.ListOf(pieces).Select(p => string.Concat(p));
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(500), Prop.ForAll(Arb.From(text), yaml =>
        {
            try
            {
                _ = Load.Text("backup_config:\n  " + yaml).Effective.Count();
                _ = Load.Text(yaml);
            }
            catch (ConfigurationException e)
            {
                e.Errors.ShouldNotBeEmpty();
            }
        }));
    }
}
