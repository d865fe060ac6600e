using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace FunctionsBackup.Operations.Configuration.Yaml;

/// <summary>
/// Reads the part of YAML that a configuration needs: one document of mappings, lists and scalars. Anchors, aliases, tags, merge keys and
/// deep nesting are refused, so that a hostile file cannot make the program work or grow more than its own length.
/// </summary>
internal sealed class YamlReader
{
    public const int MaximumBytes = 1 << 20;
    public const int MaximumDepth = 16;

    private readonly string _source;
    private readonly Parser _parser;

    private YamlReader(string source, string text)
    {
        _source = source;
        _parser = new Parser(new Scanner(new StringReader(text), skipComments: true));
    }

    /// <summary>The one document of <paramref name="text"/>.</summary>
    /// <exception cref="ConfigurationException">It is not YAML, or uses what is refused; with line and column.</exception>
    public static YamlValue Read(string source, string text)
    {
        var reader = new YamlReader(source, text);
        try
        {
            return reader.ReadDocument();
        }
        catch (YamlException e)
        {
            throw FindTab(text) is { } tab
                ? new ConfigurationException([new ConfigurationError(
                    source, tab.Line, tab.Column, "a tab indents this line, which YAML forbids; indent with spaces.")])
                : Fail(source, e.Start, Explain(e));
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or IndexOutOfRangeException or OverflowException)
        {
            // The parser gives up like this on some malformed input instead of saying what is wrong.
            throw Fail(source, reader._parser.Current?.Start ?? Mark.Empty,
                "this is not valid YAML; look at the punctuation here and just after.");
        }
    }

    private YamlValue ReadDocument()
    {
        Next<StreamStart>();
        if (Is<StreamEnd>()) throw Fail(_source, _parser.Current!.Start, "the file is empty; begin with 'backup_config:'.");
        Next<DocumentStart>();
        var root = ReadValue(1);
        Next<DocumentEnd>();
        return Is<StreamEnd>() ? root : throw Fail("a second YAML document begins here; keep one document per file.");
    }

    private YamlValue ReadValue(int depth)
    {
        if (depth > MaximumDepth) throw Fail($"values are nested deeper than {MaximumDepth} levels; flatten the file.");
        var current = Peek();
        if (current is AnchorAlias) throw Fail("YAML aliases are not allowed here; write the value out.");
        if (current is NodeEvent { Anchor.IsEmpty: false }) throw Fail(
            "YAML anchors are not allowed here; write the value out where it is needed.");
        if (current is NodeEvent { Tag.IsEmpty: false }) throw Fail("YAML tags are not allowed here; write the plain value.");
        _parser.MoveNext();
        var (line, column) = Position(current.Start);
        switch (current)
        {
            case Scalar scalar:
                return new YamlScalar(scalar.Value, scalar.Style != ScalarStyle.Plain, line, column);
            case SequenceStart:
                var items = new List<YamlValue>();
                while (!Is<SequenceEnd>()) items.Add(ReadValue(depth + 1));
                _parser.MoveNext();
                return new YamlList(items, line, column);
            case MappingStart:
                var entries = new List<YamlEntry>();
                while (!Is<MappingEnd>())
                {
                    if (ReadValue(depth + 1) is not YamlScalar key)
                        throw Fail(_source, current.Start, "a key here is not a plain word; write 'name: value'.");
                    entries.Add(new YamlEntry(key, ReadValue(depth + 1)));
                }

                _parser.MoveNext();
                return new YamlMapping(entries, line, column);
            default:
                throw Fail(_source, current.Start, "a value is expected here.");
        }
    }

    private ParsingEvent Peek()
    {
        if (_parser.Current is null) _parser.MoveNext();
        return _parser.Current ?? throw Fail(_source, Mark.Empty, "the file ends too early.");
    }

    private bool Is<T>() where T : ParsingEvent => Peek() is T;

    private void Next<T>() where T : ParsingEvent
    {
        if (!Is<T>()) throw Fail("this is not expected here; the file is one mapping that begins with 'backup_config:'.");
        _parser.MoveNext();
    }

    private ConfigurationException Fail(string message) => Fail(_source, Peek().Start, message);

    private static ConfigurationException Fail(string source, Mark at, string message)
    {
        var (line, column) = Position(at);
        return new ConfigurationException([new ConfigurationError(source, line, column, message)]);
    }

    private static (int Line, int Column) Position(Mark mark) => ((int)Math.Max(1, mark.Line), (int)Math.Max(1, mark.Column));

    /// <summary>The first tab that indents a line: the usual reason, and the parser's own words for it help little.</summary>
    private static (int Line, int Column)? FindTab(string text)
    {
        var number = 0;
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            number++;
            var indent = line[..(line.Length - line.TrimStart().Length)];
            if (indent.IndexOf('\t') is >= 0 and var tab && indent.Length < line.Length) return (number, tab + 1);
        }

        return null;
    }

    /// <summary>The parser's words name the place again in front; they quote no values.</summary>
    private static string Explain(YamlException error)
    {
        var message = error.Message;
        if (message.StartsWith('(') && message.IndexOf("): ", StringComparison.Ordinal) is > 0 and var at) message = message[(at + 3)..];
        return $"this is not valid YAML: {message.TrimEnd('.')}.";
    }
}
