using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FunctionsBackup.Components;

namespace FunctionsBackup.Cli.Output;

/// <summary>
/// What a command says. Data goes to stdout: text for people, or with <c>--json</c> one document (long work: a line for each event, the
/// last one the result). Everything else goes to stderr.
/// </summary>
internal sealed class Printer(
    TextWriter output, TextWriter error, bool json, bool outputIsTerminal, bool errorIsTerminal, TimeProvider time)
    : IDisposable
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };
    private readonly Lock _lock = new();
    private ProgressLine? _progress;

    public bool Json { get; } = json;

    public bool IsTerminal { get; } = outputIsTerminal;

    /// <summary>What was said last that went wrong; null: nothing.</summary>
    public string? LastError { get; private set; }

    public bool CanAsk { get; } = errorIsTerminal && !Console.IsInputRedirected;

    /// <summary>The result of a command that answers at once.</summary>
    public void Result(Func<JsonNode> document, Action<TextWriter> text)
    {
        lock (_lock)
        {
            _progress?.Clear();
            if (Json) output.WriteLine(document().ToJsonString(Indented));
            else text(output);
            output.Flush();
        }
    }

    /// <summary>A line of the stream of a long command; the last is the <c>result</c>. Nothing without <c>--json</c>.</summary>
    public void Event(string name, JsonObject fields)
    {
        if (!Json) return;
        lock (_lock)
        {
            var line = new JsonObject { ["event"] = name };
            foreach (var (key, value) in fields.ToArray())
            {
                fields.Remove(key);
                line[key] = value;
            }

            output.WriteLine(line.ToJsonString());
            output.Flush();
        }
    }

    /// <summary>The end of a long command.</summary>
    public void LongResult(Func<JsonObject> fields, Action<TextWriter> text)
    {
        if (Json) Event("result", fields());
        else Result(() => new JsonObject(), text);
    }

    public void Note(string sentence) => Say(sentence);

    public void Warn(string sentence) => Say($"warning: {sentence}");

    public void Error(string sentence)
    {
        LastError = sentence;
        Say($"fbackup: {sentence}");
    }

    /// <summary>Asks the person at the terminal; true only for the word yes.</summary>
    public bool Ask(string question)
    {
        error.Write(question + " ");
        error.Flush();
        return Console.ReadLine()?.Trim().Equals("yes", StringComparison.OrdinalIgnoreCase) == true;
    }

    /// <summary>Shows how far long work is: a line on a terminal, an event each second with <c>--json</c>, nothing otherwise.</summary>
    public IProgress<WorkProgress>? Progress(string title)
    {
        _progress?.Dispose();
        _progress = null;
        if (Json) return new JsonProgress(this, title, time);
        return errorIsTerminal ? _progress = new ProgressLine(error, title, time, _lock) : null;
    }

    public void EndProgress()
    {
        _progress?.Dispose();
        _progress = null;
    }

    public void Dispose() => EndProgress();

    private void Say(string sentence)
    {
        lock (_lock)
        {
            _progress?.Clear();
            error.WriteLine(Clean(sentence));
            error.Flush();
        }
    }

    /// <summary>Names from outside must not drive the terminal.</summary>
    private static string Clean(string text)
    {
        if (!text.Any(c => char.IsControl(c) && c is not ('\n' or '\t'))) return text;
        var clean = new StringBuilder(text.Length);
        foreach (var c in text) clean.Append(char.IsControl(c) && c is not ('\n' or '\t') ? '?' : c);
        return clean.ToString();
    }
}
