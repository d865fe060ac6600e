using FunctionsBackup.Orchestrations.Restore;
using FunctionsBackup.SelfHosting.Engine;
using FunctionsBackup.Tests.Orchestrations.Engine;

namespace FunctionsBackup.Tests.Orchestrations.Components;

/// <summary>A tree of recordings, read in several units.</summary>
public class FilesWorld : ComponentWorld
{
    private HeldUnits? _held;

    public override string Component => "voice_data";

    public override string Settings => "    voice_data: { paths: [./recordings] }";

    public override Task Stopped => _held!.Middle;

    protected string Source => Path.Join(Folder, "recordings");

    protected override Task StartSourceAsync()
    {
        for (var i = 0; i < 60; i++) Write($"{i % 5}/{i:000}", 20_000 + i * 100, i);
        return Task.CompletedTask;
    }

    public override Task LoseAsync()
    {
        Directory.Delete(Source, recursive: true);
        return Task.CompletedTask;
    }

    public override Task ChangeAsync()
    {
        Write("0/000", 123, 1000);
        Write("new/one", 456, 1001);
        File.Delete(Path.Join(Source, "1/001"));
        return Task.CompletedTask;
    }

    public override Task<string> DigestAsync() => Task.FromResult(Digest(Source));

    public override Task<string> RestoredAsync(RestoreRequest request) => Task.FromResult(Digest(Path.Join(request.Target, Path.GetFileName(Source))));

    public override RestoreRequest Restore() => new() { Component = Component, Target = Path.Join(Folder, "restored") };

    public override RestoreRequest Replacing(RestoreRequest request) => request with { Overwrite = true, Delta = true, DeleteExtra = true };

    public override IEnumerable<(RestoreRequest Request, string Words)> Refused()
    {
        var file = Path.Join(Folder, "a-file");
        File.WriteAllText(file, "in the way");
        yield return (Restore() with { Target = "somewhere" }, "absolute path");
        yield return (Restore() with { Target = file }, file);
        yield return (Restore() with { ToLsn = "0/1" }, "has no meaning");
        yield return (Restore() with { Target = "/proc/restored" }, "/proc");
    }

    public override Task BeforeAsync(ActivityInvocation call) => _held?.BeforeAsync(call) ?? Task.CompletedTask;

    public override void StopHalfWay() => _held = new HeldUnits(through: 1, inFlight: 1);

    public override void GoOn() => _held?.Release();

    public override Task DieAsync()
    {
        foreach (var folder in (string[])["3", "4"]) Directory.Delete(Path.Join(Source, folder), recursive: true);
        return Task.CompletedTask;
    }

    public override Task ReviveAsync() => Task.CompletedTask;

    public override ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return default;
    }

    private static string Digest(string folder) => string.Join('\n', TestSite.Content(folder).Select(f => $"{f.Key} {f.Value}"));

    private void Write(string name, int length, int seed)
    {
        var path = Path.Join(Source, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, TestSite.Bytes(length, seed));
    }
}

/// <summary>The same tree as logs: files that only grow, and are rotated.</summary>
public sealed class LogsWorld : FilesWorld
{
    public override string Component => "logs";

    public override string Settings => "    logs: { paths: [./recordings] }";

    public override Task ChangeAsync()
    {
        File.AppendAllText(Path.Join(Source, "0/000"), "one more line\n");
        File.Move(Path.Join(Source, "1/001"), Path.Join(Source, "1/001.1"));
        File.WriteAllText(Path.Join(Source, "1/001"), "begun anew\n");
        return Task.CompletedTask;
    }
}

public sealed class FilesConformanceTests : ComponentConformance<FilesWorld>;

public sealed class LogsConformanceTests : ComponentConformance<LogsWorld>;
