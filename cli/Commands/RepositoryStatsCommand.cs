using System.CommandLine;
using System.Text.Json.Nodes;
using FunctionsBackup.Cli.Output;
using FunctionsBackup.Cli.Running;
using FunctionsBackup.Orchestrations.Site;

namespace FunctionsBackup.Cli.Commands;

/// <summary><c>repository stats</c>: what is in the store, by kind of object, and what it protects.</summary>
internal static class RepositoryStatsCommand
{
    public static Command Create() =>
        new Command("stats", "Show what the repository holds and what it takes.").Does(async (context, cancellationToken) =>
    {
        var repository = await context.OpenRepositoryAsync(cancellationToken, index: false);
        var kinds = new SortedDictionary<string, (long Objects, long Bytes)>(StringComparer.Ordinal);
        await foreach (var found in repository.Store.ListAsync("", cancellationToken))
        {
            var slash = found.Name.IndexOf('/');
            var kind = slash < 0 ? found.Name : found.Name[..slash];
            var (objects, bytes) = kinds.GetValueOrDefault(kind);
            kinds[kind] = (objects + 1, bytes + found.Size);
        }

        var components = new SortedDictionary<string, (long Points, long Bytes)>(StringComparer.Ordinal);
        await foreach (var snapshot in repository.ListSnapshotsAsync(null, cancellationToken))
        {
            var (points, bytes) = components.GetValueOrDefault(snapshot.Component);
            components[snapshot.Component] = (points + 1, bytes + snapshot.Statistics.LogicalBytes);
        }

        var stored = kinds.Values.Sum(k => k.Bytes);
        var restorable = components.Values.Sum(c => c.Bytes);
        context.Printer.Result(
            () => new JsonObject
            {
                ["repository_id"] = repository.Id,
                ["location"] = repository.Store.Description,
                ["stored_bytes"] = stored,
                ["restorable_bytes"] = restorable,
                ["objects"] = ToJson(kinds, "objects"),
                ["components"] = ToJson(components, "recovery_points"),
            },
            output =>
            {
                output.WriteLine($"repository {repository.Id} in {repository.Store.Description}");
                output.WriteLine($"{Human.Bytes(stored)} stored for {Human.Bytes(restorable)} that can be restored");
                output.WriteLine();
                var table = new Table("objects", "number", "size");
                foreach (var (kind, (objects, bytes)) in kinds) table.Add(kind, $"{objects:N0}", Human.Bytes(bytes));
                table.Write(output, context.Printer.IsTerminal);
                output.WriteLine();
                table = new Table("component", "recovery points", "restorable");
                foreach (var (component, (points, bytes)) in components) table.Add(component, $"{points:N0}", Human.Bytes(bytes));
                table.Write(output, context.Printer.IsTerminal);
            });
        return ExitCode.Done;
    });

    private static JsonObject ToJson(IEnumerable<KeyValuePair<string, (long Count, long Bytes)>> groups, string count)
    {
        var json = new JsonObject();
        foreach (var (name, (number, bytes)) in groups) json[name] = new JsonObject { [count] = number, ["bytes"] = bytes };
        return json;
    }
}
