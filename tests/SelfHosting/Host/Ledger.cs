using System.Text;

namespace FunctionsBackup.Tests.SelfHosting.Host;

/// <summary>A file to which every run of an activity adds a line, in one write.</summary>
public sealed class Ledger(string path)
{
    private readonly Lock _gate = new();

    public void Add(string line)
    {
        lock (_gate) Append(line);
    }

    /// <summary>.NET appends where the end was when the file was opened: two writers at once would overwrite each other.</summary>
    private void Append(string line)
    {
        using var file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        file.Write(Encoding.UTF8.GetBytes(line + "\n"));
    }
}
