using System.Diagnostics;
using System.Globalization;
using FunctionsBackup.Benchmarks.Compare.Contenders;
using FunctionsBackup.Benchmarks.Compare.Processes;
using FunctionsBackup.Benchmarks.Compare.Reporting;
using FunctionsBackup.Benchmarks.DataSets.Files;

namespace FunctionsBackup.Benchmarks.Compare.Scenarios;

/// <summary>Files: all contenders take every step on the same tree before the next step, in another order each run.</summary>
public sealed class FilesScenario(Settings settings, Results results)
{
    private const string Name = "files";

    private readonly string _tree = Path.Combine(settings.Work, "tree");

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        FileTree.Create(_tree, settings.FileBytes, settings.Seed, cancellationToken);
        var manifest = TreeManifest.Of(_tree, cancellationToken);
        results.Notes.Add(string.Create(CultureInfo.InvariantCulture,
            $"Files: {manifest.Count} entries, {manifest.Bytes / 1e6:0} MB (wav, opus-like, JSON transcripts, logs, two big files, 7 % duplicates); page cache warm."));
        var contenders = new List<IFilesContender>();
        if (settings.Takes("fbackup") && settings.Product.Length > 0) contenders.Add(new ProductFiles(settings.Product, settings.Work, _tree));
        if (settings.Takes("restic")) contenders.Add(new Restic(Path.Combine(settings.Trixie, "usr/bin/restic"), settings.Work, _tree));
        if (settings.Takes("borg")) contenders.Add(new Borg(settings.Work, _tree));
        foreach (var contender in contenders) results.Versions[contender.Name] = await contender.VersionAsync(cancellationToken);
        for (var run = 0; run < settings.Runs; run++)
        {
            await RunOnceAsync(contenders, run, cancellationToken);
            contenders = [.. contenders.Skip(1), contenders[0]];
        }
    }

    private async Task RunOnceAsync(List<IFilesContender> contenders, int run, CancellationToken cancellationToken)
    {
        foreach (var contender in contenders) await contender.InitializeAsync(cancellationToken);
        await BackupAsync(contenders, "full", stored: true, cancellationToken);
        await BackupAsync(contenders, "nothing changed", stored: false, cancellationToken);
        FileTreeChange.Apply(_tree, run, settings.Seed);
        await BackupAsync(contenders, "1 % changed", stored: true, cancellationToken);
        var manifest = TreeManifest.Of(_tree, cancellationToken);
        foreach (var contender in contenders) await RestoreAsync(contender, manifest, cancellationToken);
        foreach (var contender in contenders)
            results.Add(Name, "full verify", contender.Name, await Measurement.OfAsync(contender.Verify(), cancellationToken));
    }

    private async Task BackupAsync(List<IFilesContender> contenders, string step, bool stored, CancellationToken cancellationToken)
    {
        // Reading the tree puts it into the page cache, for all alike.
        TreeManifest.Of(_tree, cancellationToken);
        foreach (var contender in contenders)
        {
            results.Add(Name, step, contender.Name, await Measurement.OfAsync(contender.Backup(), cancellationToken));
            if (stored) results.Stored(Name, step, contender.Name, Folder.Bytes(contender.Repository));
        }
    }

    private async Task RestoreAsync(IFilesContender contender, TreeManifest manifest, CancellationToken cancellationToken)
    {
        var target = Path.Combine(settings.Work, "restored");
        Directory.CreateDirectory(target);
        results.Add(Name, "restore", contender.Name, await Measurement.OfAsync(contender.Restore(target), cancellationToken));
        // The product keeps the name of the tree; the peers restore its contents.
        var root = Path.Combine(target, Path.GetFileName(_tree)) is var inner && Directory.Exists(inner) ? inner : target;
        var differences = manifest.Differences(TreeManifest.Of(root, cancellationToken));
        if (differences.Count > 0)
            throw new UnreachableException($"{contender.Name} restored wrong: {string.Join("; ", differences.Take(5))} ({differences.Count} in all)");
        Directory.Delete(target, recursive: true);
    }
}
