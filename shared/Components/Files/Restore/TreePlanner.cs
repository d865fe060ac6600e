using FunctionsBackup.Components.Files.Buckets;
using FunctionsBackup.Components.Posix;
using FunctionsBackup.Repository.Catalogs;
using FunctionsBackup.Storage.Buckets;

namespace FunctionsBackup.Components.Files.Restore;

/// <summary>
/// Goes through the entries of a catalog: makes directories, links and special files, and passes files on. Holds the directories on the way
/// to where it is. Not for concurrent use.
/// </summary>
internal sealed class TreePlanner(
    RestoreContext context, RestoreSelection selection, IReadOnlyList<RestoreTarget> targets, FilePlanner files) : IDisposable
{
    private readonly List<Level>[] _stacks = [.. targets.Select(target => new List<Level> { new(target.Root, default) })];
    private readonly bool _notesNames = context.IsDelta && context.Options.DeleteExtra;

    internal async ValueTask AddAsync(CatalogEntry entry, CancellationToken cancellationToken)
    {
        if (!selection.TryFind(entry.Path, out var number, out var relative)) return;
        var target = targets[number];
        target.IsFound = true;
        if (relative.IsEmpty)
        {
            await AddRootAsync(target, entry, cancellationToken).ConfigureAwait(false);
            return;
        }

        if (!ByteName.IsSafeRelative(relative.Span))
        {
            context.Warnings.Add($"{ByteName.Display(entry.Path.Span)} was left out: it is no path that could be below the target.");
            return;
        }

        if (!entry.Extra.IsEmpty) WarnOfObject(entry, relative.Span);
        var directory = Reach(_stacks[number], relative);
        var name = ByteName.LastPart(relative.Span).ToArray();
        if (_notesNames) directory.AddChild(name);
        var included = selection.TakesAll || selection.IsIncluded(relative.Span, entry.Kind == EntryKind.Directory);
        if (entry.Kind == EntryKind.Directory)
        {
            var child = new RestoreDirectory(directory, name, entry);
            _stacks[number].Add(new Level(child, relative));
            if (included) _ = child.Open(context);
        }
        else if (included && directory.Open(context))
        {
            await AddLeafAsync(target, directory, name, entry, cancellationToken).ConfigureAwait(false);
        }

        await files.SubmitIfFullAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>No entry follows: leaves all directories but the roots.</summary>
    internal void End()
    {
        foreach (var stack in _stacks) Leave(stack, 1);
    }

    // The roots are their targets' own.
    public void Dispose()
    {
        foreach (var stack in _stacks)
            foreach (var level in stack.Skip(1)) level.Directory.Dispose();
    }

    private async ValueTask AddRootAsync(RestoreTarget target, CatalogEntry entry, CancellationToken cancellationToken)
    {
        if (entry.Kind == EntryKind.Directory)
        {
            target.Root.Entry = entry;
            if (selection.TakesAll) _ = target.Root.Open(context);
            return;
        }

        var name = ByteName.LastPart(entry.Path.Span);
        if (!selection.TakesAll && !selection.IsIncluded(name, false)) return;
        var (directory, targetName) = target.OpenForFile();
        await AddLeafAsync(target, directory, targetName, entry, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask AddLeafAsync(
        RestoreTarget target, RestoreDirectory directory, byte[] name, CatalogEntry entry, CancellationToken cancellationToken)
    {
        if (entry.Kind != EntryKind.File) SpecialRestorer.Restore(context, directory, name, entry);
        else if (FindFirst(target, entry) is { } first) files.Batch.Links.Add(new PendingLink(target, directory, name, entry, first));
        else await files.AddAsync(directory, name, entry, cancellationToken).ConfigureAwait(false);
    }

    private void WarnOfObject(CatalogEntry entry, ReadOnlySpan<byte> relative)
    {
        if (BucketFacts.Of(entry) is not { } facts) return;
        if (BucketKey.IsHashed(relative))
            context.Warnings.Add($"The object '{facts.Key}' has a key that is no path; it is restored as {ByteName.Display(entry.Path.Span)}.");
        if (facts.Properties != BucketProperties.None with { Metadata = facts.Properties.Metadata } || facts.Properties.Metadata.Count > 0)
            context.WarnOnce("objects", "Content types and metadata of objects have no place in a folder, and were left out; restore to a bucket to have them.");
    }

    // The path below the target of the file's first name, if that is restored to the same target.
    private byte[]? FindFirst(RestoreTarget target, CatalogEntry entry)
    {
        if (entry.HardLinkTo.IsEmpty || !selection.TryFind(entry.HardLinkTo, out var number, out var relative)) return null;
        if (relative.IsEmpty || targets[number] != target || !ByteName.IsSafeRelative(relative.Span)) return null;
        if (CatalogOrder.Compare(entry.HardLinkTo.Span, entry.Path.Span) >= 0) return null;
        return selection.IsIncluded(relative.Span, false) ? relative.ToArray() : null;
    }

    // Leaves directories that do not hold the path, and enters those that do, known to the catalog or not.
    private RestoreDirectory Reach(List<Level> stack, ReadOnlyMemory<byte> relative)
    {
        var keep = 1;
        while (keep < stack.Count && IsAbove(stack[keep].Path.Span, relative.Span)) keep++;
        Leave(stack, keep);
        var above = ByteName.Directory(relative.Span).Length;
        while (stack[^1].Path.Length < above)
        {
            var from = stack[^1].Path.Length == 0 ? 0 : stack[^1].Path.Length + 1;
            var rest = relative.Span[from..above];
            var slash = rest.IndexOf((byte)'/');
            var name = slash < 0 ? rest : rest[..slash];
            stack.Add(new Level(new RestoreDirectory(stack[^1].Directory, name.ToArray(), null), relative[..(from + name.Length)]));
        }

        return stack[^1].Directory;
    }

    private void Leave(List<Level> stack, int keep)
    {
        for (var i = stack.Count - 1; i >= keep; i--)
            if (stack[i].Directory.IsOpen) files.Batch.Left.Add(stack[i].Directory);
        stack.RemoveRange(keep, stack.Count - keep);
    }

    private static bool IsAbove(ReadOnlySpan<byte> directory, ReadOnlySpan<byte> path) =>
        path.Length > directory.Length && path[directory.Length] == (byte)'/' && path.StartsWith(directory);

    private readonly record struct Level(RestoreDirectory Directory, ReadOnlyMemory<byte> Path);
}
