namespace FunctionsBackup.Operations.Configuration.Yaml;

/// <summary>A value of the file and where it stands (1-based line and column).</summary>
internal abstract record YamlValue(int Line, int Column)
{
    /// <summary>What it is, for error messages.</summary>
    public abstract string Kind { get; }
}

/// <param name="Text">The text without quotes.</param>
/// <param name="Quoted">Written in quotes or as a block: never a number, a boolean or null.</param>
/// <param name="Line">1-based.</param>
/// <param name="Column">1-based.</param>
internal sealed record YamlScalar(string Text, bool Quoted, int Line, int Column) : YamlValue(Line, Column)
{
    public bool IsNull => !Quoted && Text is "" or "~" or "null";

    public override string Kind => IsNull ? "nothing" : Quoted ? "a quoted text" : "a text";
}

internal sealed record YamlList(IReadOnlyList<YamlValue> Items, int Line, int Column) : YamlValue(Line, Column)
{
    public override string Kind => "a list";
}

internal sealed record YamlMapping(IReadOnlyList<YamlEntry> Entries, int Line, int Column) : YamlValue(Line, Column)
{
    public override string Kind => "a group of keys";
}

internal sealed record YamlEntry(YamlScalar Key, YamlValue Value);
