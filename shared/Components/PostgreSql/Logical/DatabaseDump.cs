using System.Globalization;
using FunctionsBackup.Components.Layers;
using FunctionsBackup.Components.PostgreSql.Backup;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Contents;
using Npgsql;
using ProgressMeter = FunctionsBackup.Components.Files.ProgressMeter;

namespace FunctionsBackup.Components.PostgreSql.Logical;

/// <summary>Dumps one database as of one snapshot, which a leading session holds and the working ones share.</summary>
internal sealed class DatabaseDump(
    BackupRepository repository, BackupSession session, DumpFiles files, ClientTools tools, NpgsqlConnectionStringBuilder builder, int version, int parallelism,
    ProgressMeter meter, LogicalDatabase? before, LogicalSnapshotReader? beforeFiles)
{
    /// <summary>Blocks of a slice: 64 MiB, which one session reads.</summary>
    private const long SliceBlocks = 8192;

    private const string Begin = "begin isolation level repeatable read read only";

    private string _layer = "";

    public async ValueTask RunAsync(LogicalDatabase database, string path, DateTimeOffset startedAt, CancellationToken cancellationToken)
    {
        _layer = $"{startedAt.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture)}-{Guid.NewGuid().ToString("N")[..8]}";
        var leader = await LogicalBackup.OpenAsync(builder, database.Name, cancellationToken).ConfigureAwait(false);
        await using (leader.ConfigureAwait(false))
        {
            await LogicalBackup.ExecuteAsync(leader, Begin, cancellationToken).ConfigureAwait(false);
            var snapshot = "";
            await LogicalBackup.QueryAsync(leader, "select pg_catalog.pg_export_snapshot(), pg_catalog.clock_timestamp()", r =>
            {
                snapshot = r.GetString(0);
                database.Time = new DateTimeOffset(r.GetDateTime(1).ToUniversalTime());
            }, cancellationToken).ConfigureAwait(false);
            await LogicalBackup.QueryAsync(
                leader, "select case when pg_catalog.pg_is_in_recovery() then null else pg_catalog.pg_current_wal_lsn()::text end",
                r => database.Lsn = r.IsDBNull(0) ? null : r.GetString(0), cancellationToken).ConfigureAwait(false);
            var sizes = await FindTablesAsync(leader, database, cancellationToken).ConfigureAwait(false);
            await LockAsync(leader, database, cancellationToken).ConfigureAwait(false);
            // The definitions, meanwhile.
            var schema = DumpSchemaAsync(database.Name, path, snapshot, cancellationToken).AsTask();
            try
            {
                await DumpRowsAsync(database, path, snapshot, sizes, cancellationToken).ConfigureAwait(false);
                await DumpSequencesAsync(leader, database, cancellationToken).ConfigureAwait(false);
                await DumpLargeObjectsAsync(leader, database, path, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                await schema.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            await schema.ConfigureAwait(false);
            await LogicalBackup.ExecuteAsync(leader, "commit", cancellationToken).ConfigureAwait(false);
        }

        await files.StoreAsync($"{path}/manifest.json", database.ToBytes(), cancellationToken).ConfigureAwait(false);
    }

    private static async ValueTask<List<(long Blocks, double Rows)>> FindTablesAsync(
        NpgsqlConnection leader, LogicalDatabase database, CancellationToken cancellationToken)
    {
        var sizes = new List<(long, double)>();
        await LogicalBackup.QueryAsync(leader, LogicalQueries.Tables, r =>
        {
            database.Tables.Add(new LogicalTable
            {
                Schema = r.GetString(1), Name = r.GetString(2), Filter = r.GetString(5), Columns = [.. r.GetFieldValue<string[]>(6)],
                Types = [.. r.GetFieldValue<string[]>(7)], IsText = r.GetBoolean(8),
            });
            sizes.Add((r.GetInt64(3), r.GetDouble(4)));
        }, cancellationToken).ConfigureAwait(false);
        await LogicalBackup.QueryAsync(leader, LogicalQueries.MaterializedViews, r => database.MaterializedViews.Add(r.GetString(0)), cancellationToken).ConfigureAwait(false);
        return sizes;
    }

    /// <summary>Keeps others from removing or emptying a table before it is read, as pg_dump does.</summary>
    private static async ValueTask LockAsync(NpgsqlConnection leader, LogicalDatabase database, CancellationToken cancellationToken)
    {
        foreach (var some in database.Tables.Chunk(200))
            await LogicalBackup.ExecuteAsync(leader, $"lock table only {string.Join(", only ", some.Select(t => t.Quoted))} in access share mode", cancellationToken)
                .ConfigureAwait(false);
    }

    private async ValueTask DumpSchemaAsync(string database, string path, string snapshot, CancellationToken cancellationToken)
    {
        var (code, errors) = await tools.RunAsync(
            "pg_dump", database, output => files.StoreAsync($"{path}/schema.dump", output, cancellationToken), cancellationToken,
            "--format=custom", "--schema-only", "--compress=0", $"--snapshot={snapshot}").ConfigureAwait(false);
        if (code != 0) throw new PostgresBackupException($"pg_dump could not read the definitions of database {database}: {ClientTools.FirstError(errors)}.");
    }

    private async ValueTask DumpRowsAsync(
        LogicalDatabase database, string path, string snapshot, List<(long Blocks, double Rows)> sizes, CancellationToken cancellationToken)
    {
        var work = new List<(LogicalTable Table, int Number, int Slice, int Slices, ulong Mask)>();
        for (var i = 0; i < database.Tables.Count; i++)
        {
            var (table, (blocks, rows)) = (database.Tables[i], sizes[i]);
            // Ranges of row addresses are read as such from 14 on.
            var slices = version >= 140000 ? (int)Math.Max(1, (blocks + SliceBlocks - 1) / SliceBlocks) : 1;
            // What was never analyzed has no number of rows; sixty in a block is usual. However long rows are, some go into one chunk.
            var mask = LayerFormat.CutMask(Math.Max(1, blocks * 8192), rows > 0 ? (long)rows : Math.Max(1, blocks * 60)) | 15;
            table.Slices.AddRange(Enumerable.Range(0, slices).Select(_ => new LogicalSlice()));
            work.AddRange(Enumerable.Range(0, slices).Select(s => (table, i, s, slices, mask)));
        }

        var next = -1;
        var gate = new Lock();
        // One that fails stops the others.
        var workers = Math.Clamp(Math.Min(parallelism, work.Count), 1, 16);
        await Parallel.ForEachAsync(
            Enumerable.Range(0, workers), new ParallelOptions { MaxDegreeOfParallelism = workers, CancellationToken = cancellationToken }, (_, token) => WorkAsync(token))
            .ConfigureAwait(false);
        foreach (var table in database.Tables) table.Rows = table.Slices.Sum(s => s.Rows);

        async ValueTask WorkAsync(CancellationToken cancellationToken)
        {
            var connection = await LogicalBackup.OpenAsync(builder, database.Name, cancellationToken).ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                await LogicalBackup.ExecuteAsync(connection, $"{Begin}; set transaction snapshot '{snapshot}'", cancellationToken).ConfigureAwait(false);
                while (Interlocked.Increment(ref next) is var at && at < work.Count)
                {
                    var (table, number, index, slices, mask) = work[at];
                    var bytes = await DumpSliceAsync(
                        connection, table, string.Create(CultureInfo.InvariantCulture, $"{path}/tables/{number:000000}/{index:000000}"), index, slices, mask, cancellationToken)
                        .ConfigureAwait(false);
                    lock (gate) table.Bytes += bytes;
                    if (index == slices - 1) meter.AddFile();
                }

                await LogicalBackup.ExecuteAsync(connection, "commit", cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async ValueTask<long> DumpSliceAsync(
        NpgsqlConnection connection, LogicalTable table, string path, int index, int slices, ulong mask, CancellationToken cancellationToken)
    {
        var slice = table.Slices[index];
        var was = FindBefore(table, index);
        var layers = new List<ContentRef>();
        slice.CutMask = was?.Slice.CutMask ?? mask;
        if (was is { } its && IsWorthADelta(its.Slice))
            foreach (var layer in its.Slice.Layers)
            {
                var (records, marks) = beforeFiles!.Layer(its.Path, layer.Name);
                files.Take($"{path}.{layer.Name}.records", records);
                files.Take($"{path}.{layer.Name}.fingerprints", marks);
                slice.Layers.Add(layer);
                layers.Add(marks);
            }

        using var writer = new LayerWriter(session, slice.CutMask);
        SliceWriter sorted;
        var fingerprints = await Fingerprints.OpenAsync(repository, layers, cancellationToken).ConfigureAwait(false);
        await using (fingerprints.ConfigureAwait(false))
        {
            using var merge = new LayerMerge(writer, fingerprints);
            sorted = new SliceWriter(merge);
            var rows = await CopyAsync(connection, table, index, slices, cancellationToken).ConfigureAwait(false);
            await using (rows.ConfigureAwait(false))
                while (await rows.MoveAsync(cancellationToken).ConfigureAwait(false))
                {
                    await sorted.AddAsync(rows.Block, rows.Row, cancellationToken).ConfigureAwait(false);
                    meter.AddBytes(rows.Row.Length);
                }

            await sorted.CompleteAsync(cancellationToken).ConfigureAwait(false);
            slice.Digest = await merge.CompleteAsync(cancellationToken).ConfigureAwait(false);
        }

        slice.Rows = sorted.Rows;
        session.CountRead(sorted.Bytes);
        if (writer.Records + writer.Tombstones == 0) return sorted.Bytes;
        var (newRecords, newMarks) = await writer.CompleteAsync(cancellationToken).ConfigureAwait(false);
        slice.Layers.Add(new LogicalLayer(_layer, writer.Records, writer.Tombstones, writer.Bytes));
        files.Add($"{path}.{_layer}.records", newRecords);
        files.Add($"{path}.{_layer}.fingerprints", newMarks);
        return sorted.Bytes;
    }

    private static async ValueTask<ICopyRows> CopyAsync(
        NpgsqlConnection connection, LogicalTable table, int index, int slices, CancellationToken cancellationToken)
    {
        var columns = string.Concat(table.Columns.Select(c => ", " + c));
        var conditions = new List<string>();
        if (index > 0) conditions.Add(string.Create(CultureInfo.InvariantCulture, $"ctid >= '({index * SliceBlocks},0)'::pg_catalog.tid"));
        if (index < slices - 1) conditions.Add(string.Create(CultureInfo.InvariantCulture, $"ctid < '({(index + 1) * SliceBlocks},0)'::pg_catalog.tid"));
        // As an extension gives it: WHERE ….
        var filter = table.Filter.Trim();
        if (filter.StartsWith("where", StringComparison.OrdinalIgnoreCase)) conditions.Add($"({filter[5..]})");
        var where = conditions.Count > 0 ? $" where {string.Join(" and ", conditions)}" : "";
        var sql = $"copy (select ctid{columns} from only {table.Quoted}{where}) to stdout";
        return table.IsText
            ? new TextCopyRows(await connection.BeginTextExportAsync(sql, cancellationToken).ConfigureAwait(false))
            : new BinaryCopyRows(await connection.BeginRawBinaryCopyAsync($"{sql} (format binary)", cancellationToken).ConfigureAwait(false));
    }

    /// <summary>The same blocks of the same table in the snapshot before.</summary>
    private (LogicalSlice Slice, string Path)? FindBefore(LogicalTable table, int index)
    {
        var number = before?.Tables.FindIndex(t => t.Schema == table.Schema && t.Name == table.Name) ?? -1;
        if (number < 0 || before!.Tables[number] is not { } its || index >= its.Slices.Count || its.IsText != table.IsText || its.Filter != table.Filter
            || !its.Columns.SequenceEqual(table.Columns) || !its.Types.SequenceEqual(table.Types)) return null;
        return (its.Slices[index], string.Create(CultureInfo.InvariantCulture, $"{beforeFiles!.PathOf(before.Name)}/tables/{number:000000}/{index:000000}"));
    }

    private static bool IsWorthADelta(LogicalSlice slice) =>
        slice.Layers.Count is > 0 and < LayerFormat.MaximumLayers
        && slice.Layers.Skip(1).Sum(l => l.Bytes) <= slice.Layers[0].Bytes * LayerFormat.MaximumDeltas;

    private static async ValueTask DumpSequencesAsync(NpgsqlConnection leader, LogicalDatabase database, CancellationToken cancellationToken)
    {
        var names = new List<string>();
        await LogicalBackup.QueryAsync(leader, LogicalQueries.Sequences, r => names.Add(r.GetString(0)), cancellationToken).ConfigureAwait(false);
        foreach (var name in names)
            await LogicalBackup.QueryAsync(
                leader, $"select last_value, is_called from {name}",
                r => database.Sequences.Add(new LogicalSequence(name, r.IsDBNull(0) ? null : r.GetInt64(0), r.GetBoolean(1))), cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask DumpLargeObjectsAsync(NpgsqlConnection leader, LogicalDatabase database, string path, CancellationToken cancellationToken)
    {
        await LogicalBackup.QueryAsync(
            leader, LogicalQueries.LargeObjects,
            r => database.LargeObjects.Add(new LogicalLargeObject(r.GetFieldValue<uint>(0), r.GetString(1), [.. r.GetFieldValue<string[]>(2)])), cancellationToken)
            .ConfigureAwait(false);
        foreach (var item in database.LargeObjects)
        {
            var content = await session.StoreAsync(new LargeObjectSource(leader, item.Oid), ContentOptions.ContentDefined, cancellationToken).ConfigureAwait(false);
            files.Add(string.Create(CultureInfo.InvariantCulture, $"{path}/large/{item.Oid}"), content);
            meter.AddBytes(content.Size);
        }
    }

    private sealed class LargeObjectSource(NpgsqlConnection connection, uint oid) : IContentSource
    {
        private long _offset;

        public async ValueTask<ContentRun> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
        {
            var bytes = Array.Empty<byte>();
            var length = Math.Min(buffer.Length, 1 << 20);
            await LogicalBackup.QueryAsync(
                connection, string.Create(CultureInfo.InvariantCulture, $"select pg_catalog.lo_get({oid}, {_offset}, {length})"),
                r => bytes = r.GetFieldValue<byte[]>(0), cancellationToken).ConfigureAwait(false);
            bytes.CopyTo(buffer);
            _offset += bytes.Length;
            return new ContentRun(bytes.Length);
        }
    }
}
