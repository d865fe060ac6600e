using Spectre.Console;

namespace FunctionsBackup.Cli.Output;

/// <summary>Rows and columns: drawn with lines on a terminal, aligned with spaces elsewhere.</summary>
internal sealed class Table(params string[] headers)
{
    private readonly List<string[]> _rows = [];

    public void Add(params string[] cells) => _rows.Add([.. cells.Select(Clean)]);

    public void Write(TextWriter output, bool terminal)
    {
        if (terminal) Draw();
        else Align(output);
    }

    private void Draw()
    {
        var table = new Spectre.Console.Table().Border(TableBorder.Simple);
        foreach (var header in headers) table.AddColumn(new TableColumn(Markup.Escape(header)).NoWrap());
        foreach (var row in _rows) table.AddRow([.. row.Select(Markup.Escape)]);
        AnsiConsole.Write(table);
    }

    private void Align(TextWriter output)
    {
        var widths = headers.Select((h, i) => _rows.Select(r => r[i].Length).Append(h.Length).Max()).ToArray();
        foreach (var row in _rows.Prepend(headers))
            output.WriteLine(string.Join("  ", row.Select((cell, i) => cell.PadRight(widths[i]))).TrimEnd());
    }

    private static string Clean(string cell) => cell.Any(char.IsControl) ? new string([.. cell.Select(c => char.IsControl(c) ? '?' : c)])
        : cell;
}
