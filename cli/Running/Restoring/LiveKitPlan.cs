using System.Text.Json.Nodes;
using FunctionsBackup.Components.LiveKit.Restore;
using FunctionsBackup.Orchestrations.Restore;

namespace FunctionsBackup.Cli.Running.Restoring;

/// <summary>Plans a restore into a LiveKit server: every call that would be made.</summary>
internal static class LiveKitPlan
{
    public static async Task<int> RunAsync(CommandContext context, RestoreRequest request, CancellationToken cancellationToken)
    {
        var repository = await context.OpenForReadingAsync(request.FromReplica, cancellationToken);
        await RepositoryWarnings.SayAsync(context, repository, request.Component, cancellationToken);
        var plan = await LiveKitRestores.PlanAsync(context.Site, repository, request, cancellationToken);
        foreach (var warning in plan.Warnings) context.Printer.Warn(warning);
        context.Printer.Result(() => ToJson(plan), output => Describe(plan, output));
        return plan.Warnings.Count > 0 ? ExitCode.Warnings : ExitCode.Done;
    }

    private static void Describe(LiveKitRestorePlan plan, TextWriter output)
    {
        output.WriteLine($"recovery point  {plan.Snapshot.Id}");
        output.WriteLine($"server          {plan.Server}");
        foreach (var step in plan.Steps) output.WriteLine($"{Verb(step.Action),-15} {step.Call ?? "(is there)"}  {Line(step.Shown)}  {step.OldId}");
        output.WriteLine(
            $"together        {plan.Count(RestoreAction.Create)} to create, {plan.Count(RestoreAction.Keep)} are there, {plan.Count(RestoreAction.Delete)} to delete, "
            + $"{plan.Count(RestoreAction.Start)} recordings to start; nothing was changed");
    }

    private static JsonObject ToJson(LiveKitRestorePlan plan) => new()
    {
        ["recovery_point"] = plan.Snapshot.Id,
        ["component"] = plan.Snapshot.Component,
        ["server"] = plan.Server,
        ["steps"] = new JsonArray([.. plan.Steps.Select(s => new JsonObject
        {
            ["action"] = Verb(s.Action), ["kind"] = s.Kind, ["name"] = s.Shown, ["call"] = s.Call, ["old_id"] = s.OldId, ["new_id"] = s.NewId,
        })]),
        ["warnings"] = new JsonArray([.. plan.Warnings.Select(w => JsonValue.Create(w))]),
    };

    private static string Verb(RestoreAction action) => action.ToString().ToLowerInvariant();

    /// <summary>Names are whatever clients chose.</summary>
    private static string Line(string text) => new([.. text.Take(120).Select(c => char.IsControl(c) ? '?' : c)]);
}
