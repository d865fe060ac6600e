using System.Globalization;
using FunctionsBackup.SelfHosting.Engine.Storage;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.SelfHosting.Engine.Clients;

/// <summary>Finding and purging instances.</summary>
internal sealed partial class EmbeddedClient
{
    /// <summary>Instances that one transaction purges: others must not wait long.</summary>
    private const int PurgeBatch = 50;

    private const string AllEnded = "1, 3, 4, 5"; // of OrchestrationRuntimeStatus

    public override Task<OrchestrationMetadata?> GetInstancesAsync(
        string instanceId, bool getInputsAndOutputs = false, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(instanceId);
        cancellation.ThrowIfCancellationRequested();
        return Task.FromResult(reader.Find(instanceId)?.ToMetadata(getInputsAndOutputs));
    }

    /// <remarks>In the order in which they were started.</remarks>
    public override AsyncPageable<OrchestrationMetadata> GetAllInstancesAsync(OrchestrationQuery? filter = null)
    {
        filter ??= new OrchestrationQuery();
        if (filter.PageSize <= 0) throw new ArgumentException($"A page of {filter.PageSize} instances is none.", nameof(filter));
        return new InstancePages((token, size) => ReadPage(filter, token, size), filter);
    }

    public override async Task<PurgeResult> PurgeInstanceAsync(
        string instanceId, PurgeInstanceOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(instanceId);
        cancellation.ThrowIfCancellationRequested();
        var recursive = options?.Recursive == true;
        return new(await writer.RunAsync(tables => Purge(tables, tables.Find(instanceId), recursive)).ConfigureAwait(false));
    }

    public override async Task<PurgeResult> PurgeAllInstancesAsync(
        PurgeInstancesFilter filter, PurgeInstanceOptions? options = null, CancellationToken cancellation = default)
    {
        var (where, values) = Conditions(filter.CreatedFrom, filter.CreatedTo, filter.Statuses, null);
        var recursive = options?.Recursive == true;
        values.Add(0L);
        var sql = $"SELECT {InstanceRow.Columns} FROM instances WHERE {where} AND status IN ({AllEnded}) AND key > ${values.Count} " +
            $"ORDER BY key LIMIT {PurgeBatch}";
        var purged = 0;
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            var batch = reader.Read(sql, InstanceRow.Read, [.. values]);
            if (batch.Count == 0) return new(purged);
            values[^1] = batch[^1].Key;
            purged += await writer.RunAsync(tables => batch.Sum(i => Purge(tables, tables.Find(i.Key), recursive))).ConfigureAwait(false);
        }
    }

    /// <returns>How many; none if it has not ended.</returns>
    private static int Purge(StateTables tables, InstanceRow? instance, bool recursive)
    {
        if (instance is not { HasEnded: true }) return 0;
        var purged = 1;
        if (recursive) purged += tables.Children(instance.Key).Sum(child => Purge(tables, child, recursive));
        tables.RemoveInstance(instance.Key);
        return purged;
    }

    private static (string Where, List<object?> Values) Conditions(
        DateTimeOffset? from, DateTimeOffset? to, IEnumerable<OrchestrationRuntimeStatus>? statuses, string? prefix)
    {
        var where = new List<string> { "TRUE" };
        var values = new List<object?>();
        void Add(string condition, object value)
        {
            values.Add(value);
            where.Add($"{condition} ${values.Count}");
        }

        if (from is { } least) Add("created >=", least.UtcTicks);
        if (to is { } most) Add("created <=", most.UtcTicks);
        if (statuses?.ToList() is { Count: > 0 } some) where.Add($"status IN ({string.Join(", ", some.Select(s => (int)s))})");
        if (!string.IsNullOrEmpty(prefix))
        {
            Add("instance_id >=", prefix);
            Add("instance_id <", prefix + char.ConvertFromUtf32(0x10FFFF));
        }

        return (string.Join(" AND ", where), values);
    }

    private Page<OrchestrationMetadata> ReadPage(OrchestrationQuery filter, string? token, int size)
    {
        if (filter.TaskHubNames?.ToList() is { Count: > 0 } hubs && !hubs.Contains(Name)) return new([]);
        var after = 0L;
        if (!string.IsNullOrEmpty(token) && !long.TryParse(token, NumberStyles.None, CultureInfo.InvariantCulture, out after))
            throw new ArgumentException($"The continuation token '{token}' is none of this query's.", nameof(token));
        var (where, values) = Conditions(filter.CreatedFrom, filter.CreatedTo, filter.Statuses, filter.InstanceIdPrefix);
        values.Add(after);
        values.Add(size + 1L);
        var columns = filter.FetchInputsAndOutputs ? InstanceRow.Columns
            : InstanceRow.Columns.Replace("input, output, custom_status", "NULL, NULL, NULL", StringComparison.Ordinal);
        var sql = $"SELECT {columns} FROM instances WHERE {where} AND key > ${values.Count - 1} ORDER BY key LIMIT ${values.Count}";
        var rows = reader.Read(sql, InstanceRow.Read, [.. values]);
        var more = rows.Count > size;
        if (more) rows.RemoveAt(size);
        return new([.. rows.Select(r => r.ToMetadata(filter.FetchInputsAndOutputs))], more ? $"{rows[^1].Key}" : null);
    }

    private sealed class InstancePages(Func<string?, int, Page<OrchestrationMetadata>> read, OrchestrationQuery filter)
        : AsyncPageable<OrchestrationMetadata>
    {
        public override async IAsyncEnumerable<Page<OrchestrationMetadata>> AsPages(
            string? continuationToken = null, int? pageSizeHint = null)
        {
            var token = continuationToken ?? filter.ContinuationToken;
            do
            {
                // One short read; the interface is asynchronous for remote stores.
                var page = await Task.FromResult(read(token, pageSizeHint ?? filter.PageSize)).ConfigureAwait(false);
                yield return page;
                token = page.ContinuationToken;
            }
            while (token is not null);
        }
    }
}
