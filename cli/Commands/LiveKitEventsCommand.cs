using System.CommandLine;
using System.Text.Json.Nodes;
using FunctionsBackup.Cli.Running;
using FunctionsBackup.Components.LiveKit.Journal;
using FunctionsBackup.Orchestrations.Site;

namespace FunctionsBackup.Cli.Commands;

/// <summary><c>livekit events [--from TIME]</c>: what a LiveKit server told by webhook.</summary>
internal static class LiveKitEventsCommand
{
    public static Command Create()
    {
        var from = new Option<string?>("--from") { Description = "Received at this time or later, with its zone; default: a day ago.", HelpName = "TIME" };
        return new Command("events", "List the events that the LiveKit server told by webhook.") { from }.Does(async (context, cancellationToken) =>
        {
            var since = context.Get(from) is { } time ? Moments.Parse(time) : context.Time.GetUtcNow() - TimeSpan.FromDays(1);
            var repository = await context.OpenRepositoryAsync(cancellationToken, index: false);
            var events = await new LiveKitJournal(repository).ReadAsync(since, cancellationToken);
            context.Printer.Result(() => ToJson(events), output =>
            {
                foreach (var item in events) output.WriteLine($"{Human.Iso(item.CreatedAt)}  {Line(item.Name),-24} {Line(item.Id)}  {Line(item.Room)}");
            });
            return ExitCode.Done;
        });
    }

    /// <summary>Without the objects in them, which may hold secrets.</summary>
    private static JsonObject ToJson(IReadOnlyList<JournalEvent> events) => new()
    {
        ["events"] = new JsonArray([.. events.Select(e => new JsonObject
        {
            ["id"] = e.Id, ["event"] = e.Name, ["created_at"] = Human.Iso(e.CreatedAt), ["room"] = e.Room,
        })]),
    };

    private static string Line(string text) => new([.. text.Take(80).Select(c => char.IsControl(c) ? '?' : c)]);
}
