using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Catalogs;
using FunctionsBackup.Repository.Contents;

namespace FunctionsBackup.Components.Files.Restore;

/// <summary>Turns files into requests for chunks, batch by batch. Not for concurrent use.</summary>
/// <param name="context">The restore.</param>
/// <param name="submit">Takes a full batch over.</param>
internal sealed class FilePlanner(RestoreContext context, Func<RestoreBatch, CancellationToken, Task> submit)
{
    internal RestoreBatch Batch { get; private set; } = new();

    internal async ValueTask AddAsync(RestoreDirectory directory, byte[] name, CatalogEntry entry, CancellationToken cancellationToken)
    {
        var file = new RestoreFile(context, directory, name, entry);
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
                Batch.Add(new ChunkRequest(item.Id, checked((int)item.Length), target, offset));
            }

            offset += item.Length;
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
