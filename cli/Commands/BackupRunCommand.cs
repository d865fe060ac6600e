using System.CommandLine;
using System.Text.Json.Nodes;
using FunctionsBackup.Cli.Output;
using FunctionsBackup.Cli.Running;
using FunctionsBackup.Components.Files;
using FunctionsBackup.Components.PostgreSql.Backup;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Cli.Commands;

/// <summary><c>backup run</c>: takes a recovery point of one component or of all that are configured. One that fails does not stop the
/// others.</summary>
internal static class BackupRunCommand
{
    private static readonly string[] Available = ["postgres", "voice_data", "logs", "configuration"];

    public static Command Create()
    {
        var type = new Option<string>("--type")
        {
            Description = "The component, or all that are configured.", HelpName = "postgres|voice_data|logs|configuration|all",
            DefaultValueFactory = _ => "all",
        };
        var full = new Option<bool>("--full") { Description = "Read everything, whatever earlier recovery points hold." };
        return new Command("run", "Take a recovery point now.") { type, full }.Does(async (context, cancellationToken) =>
        {
            var components = Choose(context, ComponentNames.Check(context.Get(type)));
            var repository = await context.OpenRepositoryAsync(cancellationToken);
            var taken = new List<Snapshot>();
            var failures = new List<(string Component, Exception Error)>();
            foreach (var component in components)
            {
                try
                {
                    var progress = context.Printer.Progress(component);
                    var snapshot = await RunAsync(context, repository, component, context.Get(full), progress, cancellationToken);
                    context.Printer.EndProgress();
                    taken.Add(snapshot);
                    foreach (var warning in snapshot.Warnings) context.Printer.Warn($"{component}: {warning}");
                    context.Printer.Event("recovery_point", SnapshotView.ToJson(snapshot));
                }
                catch (Exception e) when (components.Count > 1 && !cancellationToken.IsCancellationRequested)
                {
                    context.Printer.EndProgress();
                    failures.Add((component, e));
                    context.Printer.Error($"{component}: {CommandFailures.Describe(e)}");
                }
            }

            context.Printer.LongResult(() => ToJson(taken, failures), output =>
            {
                foreach (var snapshot in taken) output.WriteLine(Sentence(snapshot));
            });
            if (failures.Count > 0) return CommandFailures.CodeOf(failures[0].Error);
            return taken.Any(s => s.Warnings.Count > 0) ? ExitCode.Warnings : ExitCode.Done;
        });
    }

    private static List<string> Choose(CommandContext context, string? component)
    {
        var configured = context.Configuration.ConfiguredComponents.ToList();
        if (component is not null)
        {
            if (!Available.Contains(component)) throw new UsageException(
                $"Backups of {component} are not available in this version; it can protect {string.Join(", ", Available)}.");
            if (!configured.Contains(component)) throw new UsageException(
                $"{component} is not configured; add components.{component} to {context.ConfigurationFile}.");
            return [component];
        }

        foreach (var other in configured.Except(Available)) context.Printer.Warn(
            $"{other} is configured, but its backup is not available in this version.");
        var chosen = configured.Intersect(Available).ToList();
        return chosen.Count > 0 ? chosen
            : throw new UsageException($"No component is configured; add one under components in {context.ConfigurationFile}.");
    }

    private static async Task<Snapshot> RunAsync(
        CommandContext context, Repository.BackupRepository repository, string component, bool full,
        IProgress<Components.WorkProgress>? progress, CancellationToken cancellationToken)
    {
        if (component == "postgres")
        {
            var settings = context.Configuration.Postgres!;
            var options = new PostgresBackupOptions(context.Secrets.Resolve(settings.Connection, "components.postgres.connection"))
            {
                DataDirectory = settings.DataDirectory,
                Mode = Enum.Parse<PostgresBackupMode>(settings.Mode, ignoreCase: true),
                Full = full,
                FastCheckpoint = settings.FastCheckpoint,
                Parallelism = context.Parallelism,
            };
            return await new PostgresBackup(repository, context.Time).RunAsync(options, progress, cancellationToken);
        }

        var files = context.Configuration.Files(component)!;
        var filesOptions = new FilesBackupOptions(component, files.Paths)
        {
            Include = files.Include, Exclude = files.Exclude, Full = full, Parallelism = context.Parallelism,
        };
        return await new FilesBackup(repository, context.Time).RunAsync(filesOptions, progress, cancellationToken);
    }

    private static string Sentence(Snapshot snapshot)
    {
        var statistics = snapshot.Statistics;
        return $"{snapshot.Id}  {snapshot.Kind}, {Human.Count(statistics.Files, "file", "files")}, {Human.Bytes(statistics.LogicalBytes)} protected, "
            + $"{Human.Bytes(statistics.ReadBytes)} read, {Human.Bytes(statistics.StoredBytes)} stored in {Human.Time(snapshot.CompletedAt - snapshot.StartedAt)}";
    }

    private static JsonObject ToJson(List<Snapshot> taken, List<(string Component, Exception Error)> failures) => new()
    {
        ["recovery_points"] = new JsonArray([.. taken.Select(SnapshotView.ToJson)]),
        ["failures"] = new JsonArray(
            [.. failures.Select(f => new JsonObject { ["component"] = f.Component, ["error"] = CommandFailures.Describe(f.Error) })]),
    };
}
