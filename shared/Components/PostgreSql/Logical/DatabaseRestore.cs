using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using FunctionsBackup.Components.Files;
using FunctionsBackup.Components.PostgreSql.Backup;
using Npgsql;
using ProgressMeter = FunctionsBackup.Components.Files.ProgressMeter;

namespace FunctionsBackup.Components.PostgreSql.Logical;

/// <summary>Restores one database.</summary>
internal sealed class DatabaseRestore(
    LogicalSnapshotReader reader, ClientTools tools, NpgsqlConnectionStringBuilder builder, LogicalRestorePlan plan, string name, int parallelism, bool clean,
    ProgressMeter meter, Action<string> warn)
{
    /// <summary>Header of the binary format: signature, flags, extension.</summary>
    private static readonly byte[] Header = [.. "PGCOPY\n"u8, 0xff, (byte)'\r', (byte)'\n', 0, 0, 0, 0, 0, 0, 0, 0, 0];

    private static readonly byte[] Trailer = [0xff, 0xff];

    public async ValueTask RunAsync(LogicalDatabase database, string scratch, CancellationToken cancellationToken)
    {
        var path = reader.PathOf(database.Name);
        var archive = Path.Combine(scratch, $"{Guid.NewGuid():N}.dump");
        await LogicalRestore.CopyAsync(reader, $"{path}/schema.dump", archive, cancellationToken).ConfigureAwait(false);
        var list = await SelectAsync(archive, scratch, cancellationToken).ConfigureAwait(false);
        if (clean)
        {
            await DropForeignKeysAsync(database, cancellationToken).ConfigureAwait(false);
            // What others depend on, or what is the server's own, is in the way of single statements.
            await RunAsync(archive, list, isStrict: false, cancellationToken, "--clean", "--if-exists", "--section=pre-data").ConfigureAwait(false);
        }
        else
        {
            await RunAsync(archive, list, plan.IsWhole, cancellationToken, "--section=pre-data").ConfigureAwait(false);
        }

        await CheckEmptyAsync(database, cancellationToken).ConfigureAwait(false);
        await RestoreRowsAsync(database, path, cancellationToken).ConfigureAwait(false);
        await RestoreRestAsync(database, path, cancellationToken).ConfigureAwait(false);
        // A key or a constraint that cannot be made again is a failed restore, not a note; of parts, what they refer to may be missing.
        string[] behind = ["--section=post-data", string.Create(CultureInfo.InvariantCulture, $"--jobs={parallelism}")];
        await RunAsync(archive, list, plan.IsWhole, cancellationToken, clean ? [.. behind, "--clean", "--if-exists"] : behind).ConfigureAwait(false);
        await FinishAsync(database, cancellationToken).ConfigureAwait(false);
        File.Delete(archive);
    }

    /// <summary>
    /// Foreign keys come behind the rows, and would keep the tables that they refer to from being dropped before. Those of tables that are not restored are
    /// not ours to drop.
    /// </summary>
    private async ValueTask DropForeignKeysAsync(LogicalDatabase database, CancellationToken cancellationToken)
    {
        var ours = database.Tables.Where(plan.Includes).Select(t => t.Quoted).ToHashSet(StringComparer.Ordinal);
        var connection = await LogicalBackup.OpenAsync(builder, name, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var found = new List<(string Table, string Referred, string Constraint)>();
            await LogicalBackup.QueryAsync(connection, """
                select n.nspname, c.relname, rn.nspname, r.relname, k.conname
                from pg_catalog.pg_constraint k join pg_catalog.pg_class c on c.oid = k.conrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
                join pg_catalog.pg_class r on r.oid = k.confrelid join pg_catalog.pg_namespace rn on rn.oid = r.relnamespace
                where k.contype = 'f' and k.conparentid = 0
                """, r => found.Add((
                    $"{LogicalTable.Quote(r.GetString(0))}.{LogicalTable.Quote(r.GetString(1))}", $"{LogicalTable.Quote(r.GetString(2))}.{LogicalTable.Quote(r.GetString(3))}",
                    LogicalTable.Quote(r.GetString(4)))), cancellationToken).ConfigureAwait(false);
            if (found.Find(f => ours.Contains(f.Referred) && !ours.Contains(f.Table)) is { Table: not null } other)
                throw new RestoreRefusedException(
                    $"In database {name}, {other.Table}, which is not restored, refers to {other.Referred} (foreign key {other.Constraint}); drop that key first, and add it again afterwards. Nothing was changed.");
            foreach (var (table, _, constraint) in found.Where(f => ours.Contains(f.Table)))
                await LogicalBackup.ExecuteAsync(connection, $"alter table {table} drop constraint if exists {constraint}", cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Rows are added only to tables that have none: what could not be dropped must not get its rows twice.</summary>
    private async ValueTask CheckEmptyAsync(LogicalDatabase database, CancellationToken cancellationToken)
    {
        var connection = await LogicalBackup.OpenAsync(builder, name, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
            foreach (var table in database.Tables.Where(t => plan.Includes(t) && t.Filter.Length == 0))
            {
                var hasRows = false;
                try
                {
                    await LogicalBackup.QueryAsync(connection, $"select exists (select from only {table.Quoted})", r => hasRows = r.GetBoolean(0), cancellationToken).ConfigureAwait(false);
                }
                catch (PostgresException e)
                {
                    throw new PostgresBackupException($"The table {table.Quoted} of database {name} could not be made ({e.MessageText.TrimEnd('.')}), so that no rows were restored.", e);
                }

                if (hasRows)
                    throw new PostgresBackupException(
                        $"The table {table.Quoted} of database {name} holds rows and could not be dropped, so that nothing was added to it; restore with --clean, or into another database (--database {database.Name}=NEW).");
            }
    }

    /// <summary>The entries of the archive that are wanted, as a list for pg_restore; null: all.</summary>
    private async ValueTask<string?> SelectAsync(string archive, string scratch, CancellationToken cancellationToken)
    {
        if (plan.IsWhole) return null;
        var text = new MemoryStream();
        var (code, errors) = await tools.RunLocallyAsync(
            "pg_restore", async output => await output.CopyToAsync(text, cancellationToken).ConfigureAwait(false), cancellationToken, "--list", archive).ConfigureAwait(false);
        if (code != 0) throw new PostgresBackupException($"pg_restore could not read the definitions: {ClientTools.FirstError(errors)}.");
        var list = new StringBuilder();
        foreach (var line in Encoding.UTF8.GetString(text.ToArray()).Split('\n'))
            if (TocLine.Parse(line) is { } entry && plan.Includes(entry.Type, entry.Schema, entry.Tag)) list.Append(line).Append('\n');
        var file = Path.Combine(scratch, $"{Guid.NewGuid():N}.list");
        await File.WriteAllTextAsync(file, list.ToString(), cancellationToken).ConfigureAwait(false);
        return file;
    }

    private async ValueTask RunAsync(string archive, string? list, bool isStrict, CancellationToken cancellationToken, params string[] arguments)
    {
        List<string> all = [.. arguments];
        if (isStrict) all.Add("--exit-on-error");
        if (list is not null) all.AddRange(["--use-list", list]);
        var (code, errors) = await tools.RunAsync(
            "pg_restore", name, output => new(output.CopyToAsync(Stream.Null, cancellationToken)), cancellationToken, [.. all, archive]).ConfigureAwait(false);
        if (code == 0) return;
        if (isStrict) throw new PostgresBackupException($"pg_restore could not make the objects of database {name}: {ClientTools.FirstError(errors)}.");
        foreach (var line in errors.Split('\n').Where(l => l.Contains("ERROR:", StringComparison.Ordinal)).Take(10))
            warn($"In database {name}: {line[(line.IndexOf("ERROR:", StringComparison.Ordinal) + 6)..].Trim().TrimEnd('.')}.");
    }

    /// <summary>The largest first; slices of one table side by side.</summary>
    private async ValueTask RestoreRowsAsync(LogicalDatabase database, string path, CancellationToken cancellationToken)
    {
        var work = database.Tables.Select((table, number) => (table, number)).Where(t => plan.Includes(t.table)).OrderByDescending(t => t.table.Bytes)
            .SelectMany(t => t.table.Slices.Select((slice, index) => (t.table, slice, Path: string.Create(CultureInfo.InvariantCulture, $"{path}/tables/{t.number:000000}/{index:000000}"))))
            .Where(w => w.slice.Rows > 0).ToList();
        var next = -1;
        // One that fails stops the others.
        var workers = Math.Max(1, Math.Min(parallelism, work.Count));
        await Parallel.ForEachAsync(
            Enumerable.Range(0, workers), new ParallelOptions { MaxDegreeOfParallelism = workers, CancellationToken = cancellationToken }, (_, token) => WorkAsync(token))
            .ConfigureAwait(false);

        async ValueTask WorkAsync(CancellationToken cancellationToken)
        {
            var connection = await LogicalBackup.OpenAsync(builder, name, cancellationToken).ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                await LogicalBackup.ExecuteAsync(connection, "set synchronous_commit = off", cancellationToken).ConfigureAwait(false);
                while (Interlocked.Increment(ref next) is var at && at < work.Count)
                    await RestoreSliceAsync(connection, work[at].table, work[at].slice, work[at].Path, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async ValueTask RestoreSliceAsync(NpgsqlConnection connection, LogicalTable table, LogicalSlice slice, string path, CancellationToken cancellationToken)
    {
        var columns = table.Columns.Count > 0 ? $" ({string.Join(", ", table.Columns)})" : "";
        var sql = $"copy {table.Quoted}{columns} from stdin";
        if (table.IsText)
        {
            var writer = await connection.BeginTextImportAsync(sql, cancellationToken).ConfigureAwait(false);
            await using (writer.ConfigureAwait(false))
                await foreach (var row in reader.ReadRowsAsync(path, slice, cancellationToken).ConfigureAwait(false))
                {
                    await writer.WriteAsync(Encoding.UTF8.GetString(row.Span) + "\n").ConfigureAwait(false);
                    meter.AddBytes(row.Length);
                }

            return;
        }

        var fields = new byte[2];
        BinaryPrimitives.WriteInt16BigEndian(fields, (short)table.Columns.Count);
        var stream = await connection.BeginRawBinaryCopyAsync($"{sql} (format binary)", cancellationToken).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            try
            {
                await stream.WriteAsync(Header, cancellationToken).ConfigureAwait(false);
                await foreach (var row in reader.ReadRowsAsync(path, slice, cancellationToken).ConfigureAwait(false))
                {
                    await stream.WriteAsync(fields, cancellationToken).ConfigureAwait(false);
                    await stream.WriteAsync(row, cancellationToken).ConfigureAwait(false);
                    meter.AddBytes(row.Length);
                }

                await stream.WriteAsync(Trailer, cancellationToken).ConfigureAwait(false);
            }
            catch
            {
                await stream.CancelAsync().ConfigureAwait(false); // else the end of the stream would commit half of it
                throw;
            }
        }
    }

    /// <summary>Sequences and large objects.</summary>
    private async ValueTask RestoreRestAsync(LogicalDatabase database, string path, CancellationToken cancellationToken)
    {
        var connection = await LogicalBackup.OpenAsync(builder, name, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            foreach (var sequence in database.Sequences.Where(s => s.Value is not null))
            {
                var call = string.Create(
                    CultureInfo.InvariantCulture,
                    $"select pg_catalog.setval(pg_catalog.to_regclass({LogicalRestore.Literal(sequence.Name)}), {sequence.Value}, {(sequence.IsCalled ? "true" : "false")}) where pg_catalog.to_regclass({LogicalRestore.Literal(sequence.Name)}) is not null");
                await LogicalBackup.ExecuteAsync(connection, call, cancellationToken).ConfigureAwait(false);
            }

            if (!plan.IsWhole) return;
            foreach (var item in database.LargeObjects) await RestoreLargeObjectAsync(connection, item, path, cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask RestoreLargeObjectAsync(NpgsqlConnection connection, LogicalLargeObject item, string path, CancellationToken cancellationToken)
    {
        var oid = item.Oid.ToString(CultureInfo.InvariantCulture);
        await LogicalBackup.ExecuteAsync(connection, "begin", cancellationToken).ConfigureAwait(false);
        if (clean)
            await LogicalBackup.ExecuteAsync(
                connection, $"select pg_catalog.lo_unlink(oid) from pg_catalog.pg_largeobject_metadata where oid = {oid}", cancellationToken).ConfigureAwait(false);
        await LogicalBackup.ExecuteAsync(connection, $"select pg_catalog.lo_create({oid})", cancellationToken).ConfigureAwait(false);
        var buffer = new byte[1 << 20];
        var offset = 0L;
        var stream = reader.Open($"{path}/large/{oid}");
        await using (stream.ConfigureAwait(false))
            while (await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false) is var read and > 0)
            {
                var command = new NpgsqlCommand($"select pg_catalog.lo_put({oid}, $1, $2)", connection)
                {
                    Parameters = { new() { Value = offset }, new() { Value = buffer[..read] } },
                };
                await using (command.ConfigureAwait(false)) await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
                offset += read;
                meter.AddBytes(read);
            }

        await LogicalBackup.ExecuteAsync(connection, "commit", cancellationToken).ConfigureAwait(false);
        foreach (var statement in item.Grants.Prepend($"alter large object {oid} owner to {LogicalTable.Quote(item.Owner)}"))
        {
            try
            {
                await LogicalBackup.ExecuteAsync(connection, statement, cancellationToken).ConfigureAwait(false);
            }
            catch (PostgresException e)
            {
                warn($"Of large object {oid} in {name}, a right was not restored: {e.MessageText.TrimEnd('.')}.");
            }
        }
    }

    /// <summary>Fills materialized views, some of which may rest on others, and has the planner look at the tables.</summary>
    private async ValueTask FinishAsync(LogicalDatabase database, CancellationToken cancellationToken)
    {
        var connection = await LogicalBackup.OpenAsync(builder, name, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var (left, last) = (plan.IsWhole ? database.MaterializedViews.ToList() : [], "");
            for (var before = left.Count + 1; left.Count > 0 && left.Count < before;)
            {
                before = left.Count;
                foreach (var view in left.ToList())
                {
                    try
                    {
                        await LogicalBackup.ExecuteAsync(connection, $"refresh materialized view {view}", cancellationToken).ConfigureAwait(false);
                        left.Remove(view);
                    }
                    catch (PostgresException e)
                    {
                        last = e.MessageText; // one that it rests on comes later
                    }
                }
            }

            if (left.Count > 0) warn($"In database {name}, {left.Count} materialized views could not be filled ({left[0]}: {last.TrimEnd('.')}); run REFRESH MATERIALIZED VIEW.");
            await LogicalBackup.ExecuteAsync(connection, "analyze", cancellationToken).ConfigureAwait(false);
        }
    }
}
