using System.Globalization;
using System.Runtime.InteropServices;
using FunctionsBackup.Benchmarks.DataSets.Database;
using FunctionsBackup.Benchmarks.DataSets.Files;
using Npgsql;

// dataset: makes and checks the data of the demo and of the comparison.
using var stop = new CancellationTokenSource();
using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);

try
{
    return await RunAsync(args, stop.Token);
}
catch (OperationCanceledException)
{
    return 130;
}

static async Task<int> RunAsync(string[] args, CancellationToken cancellationToken)
{
    switch (args)
    {
        case ["files", var root, var megabytes, var seed]:
            FileTree.Create(root, Number(megabytes) * 1_000_000, (ulong)Number(seed), cancellationToken);
            return 0;

        case ["change", var root, var step, var seed]:
            Console.WriteLine($"{FileTreeChange.Apply(root, (int)Number(step), (ulong)Number(seed)) / 1_000_000} MB changed");
            return 0;

        case ["manifest", var root, var file]:
            TreeManifest.Of(root, cancellationToken).Save(file);
            return 0;

        case ["same", var file, var root]:
            var now = TreeManifest.Of(root, cancellationToken);
            var differences = TreeManifest.Load(file).Differences(now);
            foreach (var difference in differences.Take(20)) Console.WriteLine($"  {difference}");
            Console.WriteLine(differences.Count == 0 ? $"{now.Count} entries are the same, {now.Bytes / 1_000_000} MB by SHA-256" : $"{differences.Count} differences");
            return differences.Count == 0 ? 0 : 1;

        case ["database", var connection, var megabytes, var seed]:
            await using (var database = NpgsqlDataSource.Create(connection))
                await CallDatabase.CreateAsync(database, Number(megabytes) * 1_000_000, (ulong)Number(seed), cancellationToken);
            return 0;

        case ["digest", var connection]:
            await using (var database = NpgsqlDataSource.Create(connection))
                Console.Write(await DatabaseDigest.OfAsync(database, cancellationToken));
            return 0;

        case ["writer", var connection, var ledger, var milliseconds]:
            await using (var database = NpgsqlDataSource.Create(connection))
                await NumberedWriter.RunAsync(database, ledger, TimeSpan.FromMilliseconds(Number(milliseconds)), cancellationToken);
            return 0;

        default:
            Console.Error.WriteLine(
                """
                dataset files DIR MEGABYTES SEED        make recordings, transcripts, logs
                dataset change DIR STEP SEED            change 1 % of them
                dataset manifest DIR FILE               write down every entry with its SHA-256
                dataset same FILE DIR                   compare with that
                dataset database CONNECTION MB SEED     make the tables of a voice platform
                dataset digest CONNECTION               count and hash the rows of every table
                dataset writer CONNECTION LEDGER MS     commit a numbered row every MS milliseconds until stopped
                """);
            return 2;
    }
}

void Stop(PosixSignalContext context)
{
    context.Cancel = true;
    stop.Cancel();
}

static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
