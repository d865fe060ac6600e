using System.Globalization;
using System.Text;
using FunctionsBackup.Benchmarks.DataSets.Text;
using Npgsql;

namespace FunctionsBackup.Benchmarks.DataSets.Database;

/// <summary>
/// The database of a voice platform: calls (uuid, times, numeric cost, jsonb), what was said in them (text in natural word frequencies), and
/// quality samples (narrow rows of numbers), with the indexes such a schema has. The same rows for one seed.
/// </summary>
public static class CallDatabase
{
    /// <summary>Bytes on disk, tables and indexes, that one call with its utterances and samples takes, about.</summary>
    public const int BytesPerCall = 6700;

    private const int UtterancesPerCall = 20;
    private const int SamplesPerCall = 12;

    private const string Tables =
        """
        create table calls (
          id uuid not null, room text not null, agent_id int not null, caller text not null, started_at timestamptz not null,
          ended_at timestamptz not null, cost numeric(10,4) not null, outcome text not null, metadata jsonb not null);
        create table utterances (
          id bigint not null, call_id uuid not null, said_at timestamptz not null, speaker text not null, confidence real not null,
          said text not null);
        create table quality (
          call_id uuid not null, at timestamptz not null, jitter_ms real not null, loss real not null, rtt_ms int not null, mos numeric(4,2));
        """;

    private const string Indexes =
        """
        alter table calls add primary key (id);
        create index on calls (started_at);
        create index on calls (room, started_at);
        alter table utterances add primary key (id);
        create index on utterances (call_id);
        create index on quality (call_id, at);
        analyze;
        """;

    public static async Task CreateAsync(NpgsqlDataSource database, long bytes, ulong seed, CancellationToken cancellationToken)
    {
        var calls = (int)Math.Max(100, bytes / BytesPerCall);
        await RunAsync(database, Tables, cancellationToken);
        await Task.WhenAll(
            CopyAsync(database, "calls", text => Calls(text, calls, seed), cancellationToken),
            CopyAsync(database, "utterances", text => Utterances(text, calls, seed), cancellationToken),
            CopyAsync(database, "quality", text => Quality(text, calls, seed), cancellationToken));
        await RunAsync(database, Indexes, cancellationToken);
    }

    private static async Task RunAsync(NpgsqlDataSource database, string sql, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(sql);
        command.CommandTimeout = 0;
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task CopyAsync(
        NpgsqlDataSource database, string table, Func<StringBuilder, IEnumerable<int>> rows, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var copy = await connection.BeginTextImportAsync($"copy {table} from stdin", cancellationToken);
        var text = new StringBuilder(1 << 17);
        foreach (var _ in rows(text))
        {
            if (text.Length < 1 << 16) continue;
            await copy.WriteAsync(text, cancellationToken);
            text.Clear();
        }

        await copy.WriteAsync(text, cancellationToken);
    }

    private static DateTime Start(int call) => new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc).AddSeconds(call * 37L);

    private static IEnumerable<int> Calls(StringBuilder text, int calls, ulong seed)
    {
        var random = SplitMix.For(seed, "calls");
        var ids = SplitMix.For(seed, "ids");
        for (var call = 0; call < calls; call++)
        {
            var at = Start(call);
            text.Append(CultureInfo.InvariantCulture, $"{ids.Guid()}\troom-{random.Below(5000)}\t{random.Below(400)}\t+49{random.Next() % 10_000_000_000:0000000000}\t");
            text.Append(CultureInfo.InvariantCulture, $"{at:O}\t{at.AddMilliseconds(random.Between(20_000, 900_000)):O}\t{random.Below(90_000) / 10_000m}\t");
            text.Append(random.Below(9) switch { 0 => "transferred", 1 => "abandoned", 2 => "voicemail", _ => "resolved" });
            text.Append(CultureInfo.InvariantCulture, $"\t{{\"caller\": \"{Vocabulary.Name(ref random)}\", \"codec\": \"opus\", \"node\": \"node-{random.Below(12)}\", ");
            text.Append(CultureInfo.InvariantCulture, $"\"sip\": {{\"call_id\": \"{random.Guid():N}\", \"attempts\": {random.Between(1, 4)}}}, \"score\": {random.Below(1000) / 10.0}}}\n");
            yield return call;
        }
    }

    private static IEnumerable<int> Utterances(StringBuilder text, int calls, ulong seed)
    {
        var random = SplitMix.For(seed, "utterances");
        var ids = SplitMix.For(seed, "ids");
        for (var call = 0; call < calls; call++)
        {
            var id = ids.Guid();
            var at = Start(call);
            for (var turn = 0; turn < UtterancesPerCall; turn++)
            {
                at = at.AddMilliseconds(random.Between(800, 12_000));
                text.Append(CultureInfo.InvariantCulture, $"{((long)call * UtterancesPerCall) + turn}\t{id}\t{at:O}\t{(turn % 2 == 0 ? "agent" : "caller")}\t");
                text.Append(CultureInfo.InvariantCulture, $"{0.5 + (random.Below(5000) / 10_000.0)}\t");
                Vocabulary.Sentence(text, random.Between(4, 34), ref random);
                text.Append('\n');
            }

            yield return call;
        }
    }

    private static IEnumerable<int> Quality(StringBuilder text, int calls, ulong seed)
    {
        var random = SplitMix.For(seed, "quality");
        var ids = SplitMix.For(seed, "ids");
        for (var call = 0; call < calls; call++)
        {
            var id = ids.Guid();
            var at = Start(call);
            for (var sample = 0; sample < SamplesPerCall; sample++)
            {
                text.Append(CultureInfo.InvariantCulture, $"{id}\t{at.AddSeconds(sample * 5):O}\t{random.Below(60_000) / 1000.0}\t");
                text.Append(CultureInfo.InvariantCulture, $"{random.Below(500) / 10_000.0}\t{random.Between(12, 300)}\t{1 + (random.Below(400) / 100.0)}\n");
            }

            yield return call;
        }
    }
}
