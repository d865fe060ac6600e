using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Catalogs;
using FunctionsBackup.Repository.Contents;
using FunctionsBackup.Repository.Subjects;

namespace FunctionsBackup.Components.Files.Restore;

/// <summary>Turns files into requests for chunks, batch by batch. Not for concurrent use.</summary>
/// <param name="context">The restore.</param>
/// <param name="submit">Takes a full batch over.</param>
internal sealed class FilePlanner(RestoreContext context, Func<RestoreBatch, CancellationToken, Task> submit)
{
    internal RestoreBatch Batch { get; private set; } = new();

    internal async ValueTask AddAsync(RestoreDirectory directory, byte[] name, CatalogEntry entry, CancellationToken cancellationToken)
    {
        var key = default(SubjectKey);
        if (entry.Subject is { } subject && !context.TryGetKey(await FindKeyAsync(subject, cancellationToken).ConfigureAwait(false), entry, out key)) return;
        var file = new RestoreFile(context, directory, name, entry) { Subject = key };
        if (context.IsDelta) file.OpenExisting();
        var content = entry.Content!;
        var holdsDescriptor = file.Existing is not null || content.Depth > 0 || content.Items.Length > 1;
        var target = Batch.Add(file, holdsDescriptor);
        var offset = 0L;
        if (content.Depth == 0)
        {
            foreach (var item in content.Items) await AddItemAsync(item).ConfigureAwait(false);
        }
        else
        {
            try
            {
                await foreach (var item in context.Repository.ReadItemsAsync(content, cancellationToken).ConfigureAwait(false))
                    await AddItemAsync(item).ConfigureAwait(false);
            }
            catch (DamageException)
            {
                file.MarkDamaged();
            }
        }

        if (offset != content.Size) file.MarkDamaged();
        Batch.Completing.Add(file);
        file.Arrived();
        await SubmitIfFullAsync(cancellationToken).ConfigureAwait(false);

        async ValueTask AddItemAsync(ContentItem item)
        {
            if (item.IsHole)
            {
                file.AddHole(offset, item.Length);
                context.Meter.AddBytes(item.Length);
            }
            else
            {
                if (Batch.IsFull)
                {
                    await SubmitAsync(cancellationToken).ConfigureAwait(false);
                    target = Batch.Add(file, holdsDescriptor);
                }

                file.Expect(1);
                Batch.Add(new ChunkRequest(item.Id, checked((int)item.Length), target, offset, item.Sealed));
            }

            offset += item.Length;
        }
    }

    /// <summary>A key whose object is damaged is as good as missing: what it sealed is lost, and the rest goes on.</summary>
    private async ValueTask<SubjectLookup> FindKeyAsync(SubjectRef subject, CancellationToken cancellationToken)
    {
        try
        {
            return await context.Repository.Subjects.FindAsync(subject, cancellationToken).ConfigureAwait(false);
        }
        catch (DamageException)
        {
            return default;
        }
    }

    internal ValueTask SubmitIfFullAsync(CancellationToken cancellationToken) =>
        Batch.IsFull ? SubmitAsync(cancellationToken) : ValueTask.CompletedTask;

    internal async ValueTask SubmitAsync(CancellationToken cancellationToken)
    {
        var full = Batch;
        Batch = new RestoreBatch();
        if (!full.IsEmpty) await submit(full, cancellationToken).ConfigureAwait(false);
    }
}
